"""The form by which a document is brought: pasted, uploaded, or at an address."""

from __future__ import annotations

from typing import Any

import httpx
from django import forms

from builder.documents import LONGEST, NotUnderstood, read
from core import http

SECONDS = 20.0
MOST_PASTED = 2_000_000
"""Characters; a longer document is uploaded."""


class DocumentForm(forms.Form):
    """After `is_valid`, `text` is the document as it came, `document` its data and `found_at` its address, if any."""

    file = forms.FileField(label="File", required=False, help_text="JSON or YAML.")
    pasted = forms.CharField(
        label="Or paste it",
        required=False,
        max_length=MOST_PASTED,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "font-mono"}),
    )

    text = ""
    found_at = ""
    document: Any = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        try:
            self.text = self._brought(data)
            self.document = read(self.text)
        except NotUnderstood as error:
            self.add_error(None, str(error))
        return data

    def _brought(self, data: dict[str, Any]) -> str:
        """The document, from wherever it is. Raises NotUnderstood."""
        if file := data.get("file"):
            if file.size > LONGEST:
                raise NotUnderstood(f"The file is too large: {LONGEST // 1_000_000} MB are possible.")
            return decoded(file.read())
        if data.get("pasted", "").strip():
            return str(data["pasted"])
        raise NotUnderstood("Choose a file, or paste the document.")


class AddressedForm(DocumentForm):
    """A document may be at an address, too."""

    url = forms.CharField(
        label="Or its address",
        required=False,
        max_length=2_000,
        widget=forms.URLInput(attrs={"placeholder": "https://api.example.com/openapi.json", "autocomplete": "off"}),
    )

    def _brought(self, data: dict[str, Any]) -> str:
        url = data.get("url", "").strip()
        if not url or data.get("file") or data.get("pasted", "").strip():
            return super()._brought(data)
        self.found_at = url
        return fetched(url)


def fetched(url: str) -> str:
    """The document at an address that somebody typed. Raises NotUnderstood."""
    try:
        with http.client(max_bytes=LONGEST, total=SECONDS, own_machine=True) as client:
            response = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotUnderstood(f"The document could not be fetched: {str(error).rstrip('.') or 'no answer'}.") from None
    if response.is_redirect:
        to = response.headers.get("Location", "another address")
        raise NotUnderstood(f"The document is somewhere else: {to[:200]}. Write that address, if you trust it.")
    if response.is_error:
        raise NotUnderstood(f"The server answered with status {response.status_code} instead of the document.")
    if "html" in response.headers.get("Content-Type", ""):
        raise NotUnderstood("There is a web page at that address. Write the address of the document itself.")
    return decoded(response.content)


def decoded(data: bytes) -> str:
    """Raises NotUnderstood for what is no text."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotUnderstood("It is no text: JSON and YAML are written in UTF-8.") from None
