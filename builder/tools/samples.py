"""The form in which a tool is tried: what the model would write, and the variables that a call would have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.html import escape

from builder.fields import LinesField
from builder.tools.bind import BoundTool
from voice.providers.base import ToolSchema
from voice.values import SECRET_PREFIX
from voice.variables import OF_THE_CLOCK

YES_OR_NO = [("", "Not given"), ("true", "Yes"), ("false", "No")]


class SampleForm(forms.Form):
    """One control for each argument; a tool of many, such as a server's, takes its arguments as JSON."""

    def __init__(self, data: Any = None, *, bound: BoundTool, schemas: Sequence[ToolSchema]) -> None:
        super().__init__(data, auto_id="sample_%s")
        self._single = schemas[0] if len(schemas) == 1 and _is_plain(schemas[0]) else None
        self._arguments: dict[str, str] = {}
        if self._single:
            required = self._single.parameters.get("required", ())
            for name, schema in self._single.parameters.get("properties", {}).items():
                self._arguments[f"arg.{name}"] = name
                self.fields[f"arg.{name}"] = _control(name, schema, required=name in required)
        else:
            names = [schema.name for schema in schemas]
            self.fields["tool"] = forms.ChoiceField(label="Tool", choices=[(name, name) for name in names])
            self.fields["arguments"] = forms.JSONField(
                label="Arguments as JSON", initial=dict, required=False, widget=forms.Textarea(attrs={"rows": 3})
            )
        for name in variables_of(bound):
            self.fields[f"var.{name}"] = forms.CharField(label=f"Variable {name}", required=False)

    def clean_arguments(self) -> dict[str, Any]:
        written = self.cleaned_data["arguments"] or {}
        if not isinstance(written, dict):
            raise forms.ValidationError('Write an object, such as {"city": "Oslo"}.')
        return written

    @property
    def tool(self) -> str:
        """The name of the tool to run."""
        return self._single.name if self._single else str(self.cleaned_data["tool"])

    @property
    def arguments(self) -> dict[str, object]:
        """What the model would write: nothing for what was left empty."""
        if not self._single:
            return dict(self.cleaned_data["arguments"])
        given = {name: self.cleaned_data[field] for field, name in self._arguments.items()}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value not in (None, "", ())
        }

    @property
    def variables(self) -> dict[str, object]:
        """Those of the call. A dotted name leads into one."""
        found: dict[str, Any] = {}
        for field, value in self.cleaned_data.items():
            if field.startswith("var.") and value:
                *parents, name = field.removeprefix("var.").split(".")
                place = found
                for parent in parents:
                    place = place.setdefault(parent, {})
                place[name] = value
        return found


def variables_of(bound: BoundTool) -> list[str]:
    """The variables of a call that a tool's request needs, but for secrets and times."""
    return [name for name in bound.config.needed if not name.startswith(SECRET_PREFIX) and name not in OF_THE_CLOCK]


def _is_plain(schema: ToolSchema) -> bool:
    """Has it arguments that a simple control can hold?"""
    return all(
        isinstance(one, Mapping) and (one.get("type") in _CONTROLS or (one.get("type") == "array" and _of_texts(one)))
        for one in schema.parameters.get("properties", {}).values()
    )


def _of_texts(schema: Mapping[str, Any]) -> bool:
    items = schema.get("items")
    return isinstance(items, Mapping) and items.get("type") == "string"


_CONTROLS: dict[str, type[forms.Field]] = {
    "string": forms.CharField,
    "number": forms.FloatField,
    "integer": forms.IntegerField,
    "boolean": forms.TypedChoiceField,
}


def _control(name: str, schema: Mapping[str, Any], *, required: bool) -> forms.Field:
    options: dict[str, Any] = {"label": name, "help_text": escape(schema.get("description", ""))}
    if schema["type"] == "array":
        return LinesField(most=50, longest=500, **options)
    if schema["type"] == "boolean":
        return forms.TypedChoiceField(
            choices=YES_OR_NO, coerce=json.loads, empty_value=None, required=required, **options
        )
    return _CONTROLS[schema["type"]](required=required, **options)
