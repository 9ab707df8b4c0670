"""Forms of accounts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils import timezone

from accounts import setup
from accounts.models import ApiKey, User


class WorkspaceForm(forms.Form):
    """The name of a workspace, new or old."""

    name = forms.CharField(max_length=120, label="Name")


class ApiKeyForm(forms.Form):
    """A new API key."""

    LIFETIMES = ((30, "30 days"), (90, "90 days"), (365, "A year"), (0, "No end"))

    name = forms.CharField(max_length=80, label="Name", help_text="Who will hold it, such as “billing export”.")
    kind = forms.ChoiceField(
        choices=[
            (ApiKey.Kind.STANDARD, "Standard: agents and calls"),
            (ApiKey.Kind.ADMIN, "Admin: usage and costs"),
        ],
        label="For",
    )
    days = forms.TypedChoiceField(choices=LIFETIMES, coerce=int, initial=90, label="Works for")

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None


class SetupForm(forms.Form):
    """The first owner and their workspace. With `ask_token` it also wants the token that the terminal shows."""

    name = forms.CharField(max_length=120, required=False, label="Your name")
    email = forms.EmailField(label="Email")
    password = forms.CharField(
        min_length=10,
        strip=False,
        widget=forms.PasswordInput,
        help_text="At least 10 characters, not a common one, not like your name or email. A few random words do well.",
    )
    workspace_name = forms.CharField(
        max_length=120,
        label="Workspace",
        initial="My workspace",
        help_text="Where your agents and calls are kept. You can rename it later.",
    )
    token = forms.CharField(
        required=False, label="Set-up token", help_text="The terminal that runs Callwright shows it."
    )

    def __init__(self, *args: Any, ask_token: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs |= {"autocomplete": "username", "autofocus": not self.is_bound}
        self.fields["name"].widget.attrs["autocomplete"] = "name"
        self.fields["password"].widget.attrs["autocomplete"] = "new-password"
        if ask_token:
            self.fields["token"].required = True
            self.fields["token"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
            self.order_fields(["token"])
        else:
            del self.fields["token"]

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"].strip()
        if not setup.token_is_right(token):
            raise forms.ValidationError("This is not the token that the terminal shows.")
        return token

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            person = User(email=cleaned.get("email", ""), name=cleaned.get("name", ""))
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned
