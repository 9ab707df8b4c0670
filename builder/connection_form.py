"""The form of a connection: which vendor, with which key, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django import forms

from builder import vendors
from builder.models import ModelConnection

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[ModelConnection]
else:
    _ModelForm = forms.ModelForm


class ConnectionForm(_ModelForm):
    """A connection. The key is write-only: it is never shown, and leaving it empty keeps the one that is stored."""

    vendor = forms.ChoiceField(label="Vendor", initial="openai")
    api_key = forms.CharField(
        label="API key",
        required=False,
        max_length=500,
        strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text="Stored encrypted and never shown again.",
    )

    CHANGED: ClassVar = ("name", "base_url", "api_key", "account_number", "default_model")
    """What can be set on a connection that is there."""

    class Meta:
        model = ModelConnection
        fields = ("vendor", "name", "base_url", "api_key", "account_number", "default_model")
        labels: ClassVar = {"base_url": "Base URL", "account_number": "Account", "default_model": "Language model"}
        help_texts: ClassVar = {
            "name": "What the agents' pages and the calls say of it.",
            "base_url": "Where requests go. For a compatible service up to and including /v1.",
            "default_model": "The one that agents use unless they name another.",
        }
        widgets: ClassVar = {"base_url": forms.URLInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Kept before the form writes what was typed into the instance.
        self.stored_key = self.instance.api_key
        self.stored_url = self.instance.address if self.instance.vendor else ""
        choices = [(known.id, known.label) for known in vendors.vendors().values()]
        vendor: Any = self.fields["vendor"]
        if not self.instance._state.adding:
            # Agents use it for what this vendor does.
            vendor.disabled = True
            if self.instance.vendor not in dict(choices):
                choices.append((self.instance.vendor, self.instance.vendor))
        vendor.choices = choices

    def clean_base_url(self) -> str:
        url = str(self.cleaned_data["base_url"]).strip().rstrip("/").removesuffix("/chat/completions")
        if not url:
            return ""
        try:
            parts = urlsplit(url)
            complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            complete = False
        if not complete:
            raise forms.ValidationError("Write a whole address, such as https://api.openai.com/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise forms.ValidationError("Leave out user names, keys and everything from ? or # on.")
        return url

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = ModelConnection.objects.filter(organization=self.instance.organization, name=name)
        if others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is already a connection of this name.")
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        known = vendors.vendors().get(data.get("vendor", ""))
        if known is None:
            return data
        if not known.account_hint:
            data["account_number"] = ""
        elif not data.get("account_number"):
            self.add_error("account_number", f"{known.label} needs to know which account it is.")
        if data.get("base_url") == known.base_url:
            data["base_url"] = ""
        address = data.get("base_url") or known.base_url
        if not address and "base_url" not in self.errors:
            self.add_error("base_url", "Write the address of the service, such as http://127.0.0.1:11434/v1")
        if not data.get("api_key"):
            data["api_key"] = self.stored_key
            if self.stored_key and _origin(address) not in ("", _origin(self.stored_url)):
                # Else whoever may edit a connection could have its key sent to a server of theirs.
                self.add_error("api_key", "The address is another one now, so enter the key again.")
            elif known.needs_key and not self.stored_key:
                self.add_error("api_key", f"{known.label} answers nobody without a key.")
        return data


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
