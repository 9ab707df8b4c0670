"""The only way in which a view gets a row of a dictionary: 404 unless it is in the reader's own workspace."""

from __future__ import annotations

from django.http import Http404

from accounts.models import Organization
from builder.pronunciations.models import PronunciationDictionary, PronunciationEntry


def get_dictionary(organization: Organization, dictionary_id: str) -> PronunciationDictionary:
    found = organization.pronunciation_dictionaries.select_related("organization").filter(pk=dictionary_id).first()
    if found is None:
        raise Http404("No such dictionary.")
    return found


def get_entry(dictionary: PronunciationDictionary, entry_id: str) -> PronunciationEntry:
    entry = dictionary.entries.filter(pk=entry_id).first()
    if entry is None:
        raise Http404("No such entry.")
    return entry
