"""The forms by which an agent is imported."""

from __future__ import annotations

from typing import Any

from django import forms

from builder.document_form import DocumentForm
from builder.documents import NotUnderstood
from builder.imports.draft import Around, Imported
from builder.imports.formats import read_agent
from builder.references import Names


class AgentDocumentForm(DocumentForm):
    """An agent of any known format. After `is_valid`, `imported` is what it becomes."""

    imported: Imported

    def __init__(self, *args: Any, around: Around, names: Names, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._around, self._names = around, names

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not self.errors:
            try:
                self.imported = read_agent(self.text, self._around, self._names)
            except NotUnderstood as error:
                self.add_error(None, str(error))
        return data


class NameForm(forms.Form):
    name = forms.CharField(label="Name", max_length=120)
