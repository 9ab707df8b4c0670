"""The forms of the page of prices."""

from __future__ import annotations

from typing import Any

from django import forms

from billing.list_prices import ANY, VENDORS
from billing.units import UNITS
from core.money import parse_micro


class PriceKeyForm(forms.Form):
    """Which price is meant."""

    vendor = forms.ChoiceField(choices=list(VENDORS.items()))
    model = forms.CharField(max_length=120, initial=ANY, help_text="As the vendor calls it; * is every other one.")
    unit = forms.ChoiceField(
        label="For", choices=[(unit.id, f"{unit.label}, per {unit.per_label}") for unit in UNITS.values()]
    )


class PriceForm(PriceKeyForm):
    """And what it is."""

    price = forms.CharField(
        label="Dollars", max_length=20, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )

    def clean_price(self) -> int:
        """In micro-dollars."""
        try:
            micro = parse_micro(self.cleaned_data["price"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        if not 0 <= micro <= 10_000_000_000:
            raise forms.ValidationError("Between $0 and $10,000, please.")
        return micro

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("vendor", "model", "unit", "price")}
