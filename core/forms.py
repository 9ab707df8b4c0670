"""How every form of the site is drawn: `{{ form }}`, or field by field with `{{ form.name.as_field_group }}`.

The classes are those of frontend/css/components.css; the templates are ui/field.html and ui/form.html.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import widgets
from django.forms.renderers import TemplatesSetting

# The first that fits counts.
_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, ""),
    (forms.RadioSelect, ""),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.FileInput, "file-input"),
    (widgets.Input, "input"),
)


class BoundField(forms.BoundField):
    """A field whose widget has the class of its kind, beside those that the form gave it."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        kind = next((css for base, css in _CLASSES if isinstance(widget, base)), "")
        own = attrs.get("class") or widget.attrs.get("class", "")
        attrs = super().build_widget_attrs(attrs, widget)
        return {**attrs, "class": f"{kind} {own}".strip()} if kind or own else attrs

    @property
    def is_checkbox(self) -> bool:
        """Its label then stands behind it."""
        return isinstance(self.field.widget, forms.CheckboxInput)


class FormRenderer(TemplatesSetting):
    """`FORM_RENDERER`: widgets from Django, fields and forms from our templates."""

    form_template_name = "ui/form.html"
    field_template_name = "ui/field.html"
    bound_field_class = BoundField
