"""The forms by which operations become tools."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from django import forms

from builder.document_form import AddressedForm
from builder.documents import NotUnderstood
from builder.tools.forms import SHORTEST_SECRET
from builder.tools.openapi.operations import Api, read_api

MOST_CHOSEN = 40


class ApiForm(AddressedForm):
    """An OpenAPI document. After `is_valid`, `api` is what it describes."""

    server = forms.CharField(
        label="Address of the server",
        required=False,
        max_length=2_000,
        widget=forms.URLInput(attrs={"placeholder": "https://api.example.com/v1", "autocomplete": "off"}),
        help_text="Only when the document does not say it.",
    )

    api: Api
    field_order = ("file", "pasted", "url", "server")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not self.errors:
            self.found_at = data.get("server", "").strip() or self.found_at
            try:
                self.api = read_api(self.document, found_at=self.found_at)
            except NotUnderstood as error:
                self.add_error(None, str(error))
        return data


class OperationsForm(forms.Form):
    """Which operations become tools, and the secrets that they need. `known` are those that the workspace has."""

    operations = forms.MultipleChoiceField(
        label="Operations",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one operation."},
    )

    def __init__(self, data: Any = None, *, api: Api, known: Collection[str]) -> None:
        super().__init__(data)
        self._possible = {one.key: one for one in api.operations if one.tool}
        choice = cast("forms.MultipleChoiceField", self.fields["operations"])
        choice.choices = [(key, key) for key in self._possible]
        for name, what in dict(pair for one in self._possible.values() for pair in one.secrets.items()).items():
            there = " There is a secret of this name, which is used if you leave this empty." if name in known else ""
            self.fields[f"secret.{name}"] = forms.CharField(
                label=name,
                required=False,
                min_length=SHORTEST_SECRET,
                max_length=4_000,
                widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
                help_text=f"{what}.{there or ' It can be entered later, under Secrets.'}",
            )

    def clean_operations(self) -> list[str]:
        chosen: list[str] = self.cleaned_data["operations"]
        if len(chosen) > MOST_CHOSEN:
            raise forms.ValidationError(f"That are {len(chosen)}; choose at most {MOST_CHOSEN} at once.")
        return chosen

    @property
    def secret_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("secret.")]

    @property
    def chosen(self) -> list[Any]:
        """The tools to be made."""
        return [self._possible[key].tool for key in self.cleaned_data["operations"]]

    @property
    def values(self) -> dict[str, str]:
        """The secrets that were typed, by their names."""
        typed = {name: self.cleaned_data[name] for name in self.fields if name.startswith("secret.")}
        return {name.removeprefix("secret."): value for name, value in typed.items() if value}
