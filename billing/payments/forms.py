"""The forms of the page Billing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.core.validators import validate_email

from billing.limits.models import Budget
from billing.plans.models import Plan
from core.money import DOLLAR, format_micro, parse_micro


class MoneyField(forms.CharField):
    """Dollars that a person types; micro-dollars as a value."""

    def __init__(self, *, least: int, most: int = 10_000 * DOLLAR, **options: Any) -> None:
        self.least, self.most = least, most
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=20, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        return format_micro(value).removeprefix("$").replace(",", "") if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            micro = parse_micro(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        if not self.least <= micro <= self.most:
            between = f"{format_micro(self.least, places=0)} and {format_micro(self.most, places=0)}"
            raise forms.ValidationError(f"Between {between}, please.")
        return micro


class TopUpForm(forms.Form):
    amount = MoneyField(label="Dollars", least=5 * DOLLAR, initial=20 * DOLLAR)


class RechargeForm(forms.Form):
    enabled = forms.BooleanField(label="Recharge by itself", required=False)
    threshold = MoneyField(label="When less is available than", least=0, initial=5 * DOLLAR)
    amount = MoneyField(label="Add", least=5 * DOLLAR, initial=20 * DOLLAR)


class UsageForm(forms.Form):
    """What happens when the money is spent. `allowed`: may it go on?"""

    overage = forms.BooleanField(
        label="Go on when the budget is spent",
        required=False,
        help_text="What is used beyond it is on the next invoice. Without it, calls are refused or ended.",
    )
    grace_seconds = forms.IntegerField(label="Seconds to end a call whose money is used up", min_value=0, max_value=300)

    def __init__(self, *args: Any, allowed: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not allowed:
            overage = self.fields["overage"]
            overage.disabled = True
            overage.help_text = "Only while a plan is paid by card: what is used beyond it is then on its invoice."


class ProfileForm(forms.Form):
    name = forms.CharField(label="Name on invoices", max_length=120, required=False)
    email = forms.EmailField(label="Mail for invoices and reminders", required=False)
    address = forms.CharField(
        max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="As on an envelope."
    )
    country = forms.CharField(max_length=60, required=False)
    tax_id = forms.CharField(label="VAT or tax number", max_length=40, required=False)


class BudgetForm(forms.Form):
    """A budget of the whole workspace, of each call, or of one of `agents`, which are names by ids.

    That of each call is a limit and nothing else: nobody is told of single calls.
    """

    name = forms.CharField(max_length=80)
    of = forms.ChoiceField()
    window = forms.ChoiceField(label="In a", choices=[(Budget.Window.DAY, "Day"), (Budget.Window.MONTH, "Month")])
    limit = MoneyField(label="Dollars", least=10_000, most=1_000_000 * DOLLAR)
    thresholds = forms.CharField(
        label="Tell at (percent)",
        initial="80, 100",
        required=False,
        help_text="Commas between. Not for each call.",
    )
    emails = forms.CharField(label="Mail to", required=False, help_text="Addresses with commas between.")
    webhook_url = forms.URLField(
        label="Webhook",
        required=False,
        max_length=300,
        assume_scheme="https",
        help_text="An address of yours that is told as well. The secret that signs the messages is shown once.",
    )
    hard_stop = forms.BooleanField(
        label="Refuse calls beyond it", required=False, help_text="A budget of each call needs it: the call ends there."
    )

    def __init__(self, *args: Any, agents: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        scopes: list[Any] = [(each.value, each.label) for each in (Budget.Scope.WORKSPACE, Budget.Scope.CALL)]
        if agents:
            scopes.append(("One agent", [(f"{Budget.Scope.AGENT}:{agent}", name) for agent, name in agents.items()]))
        cast("forms.ChoiceField", self.fields["of"]).choices = scopes

    def clean_thresholds(self) -> list[int]:
        try:
            found = sorted({int(part) for part in _parts(self.cleaned_data["thresholds"])})
        except ValueError:
            raise forms.ValidationError("Write percentages such as 50, 80, 100.") from None
        if any(not 1 <= each <= 1000 for each in found):
            raise forms.ValidationError("Between 1 and 1000 percent, please.")
        return found

    def clean_emails(self) -> list[str]:
        found = _parts(self.cleaned_data["emails"])
        for address in found:
            validate_email(address)
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("of") == Budget.Scope.CALL:
            cleaned["thresholds"] = []  # those that the form begins with
            if not cleaned.get("hard_stop"):
                self.add_error("hard_stop", "Tick it: a budget of each call does nothing else.")
            for name in ("emails", "webhook_url"):
                if cleaned.get(name):
                    self.add_error(name, "Nobody is told of single calls: leave it empty, or choose another scope.")
        return cleaned

    @property
    def values(self) -> dict[str, Any]:
        """As `budget_save` wants them."""
        values = {**self.cleaned_data}
        values["scope"], _, values["target"] = values.pop("of").partition(":")
        return values


class GrantForm(forms.Form):
    """Money that an administrator gives."""

    amount = MoneyField(label="Dollars", least=10_000, most=100_000 * DOLLAR)
    note = forms.CharField(max_length=200, help_text="What for: it is kept in the ledger.")


class AssignForm(forms.Form):
    plan = forms.ModelChoiceField(Plan.objects.all(), empty_label=None)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
