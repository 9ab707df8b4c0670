"""What changes dictionaries. Each is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from accounts.models import Organization, User
from accounts.services import audit
from builder.in_use import require_unused
from builder.pronunciations.models import PronunciationDictionary, PronunciationEntry
from builder.pronunciations.selectors import agents_using
from core.errors import ApiError, ErrorCode
from voice.spec import Pronunciation

MOST_ENTRIES = 1000


@transaction.atomic
def dictionary_create(*, organization: Organization, actor: User, name: str) -> PronunciationDictionary:
    made = PronunciationDictionary.objects.create(organization=organization, name=name)
    _audit(made, actor, "dictionary.created", {"name": ("", name)})
    return made


@transaction.atomic
def dictionary_rename(*, dictionary: PronunciationDictionary, actor: User, name: str) -> None:
    current = _locked(dictionary)
    if current.name == name:
        return
    before, current.name = current.name, name
    current.save(update_fields=["name"])
    _audit(current, actor, "dictionary.renamed", {"name": (before, name)})


@transaction.atomic
def dictionary_delete(*, dictionary: PronunciationDictionary, actor: User) -> None:
    """Raises ApiError (conflict), which names the agents, while any agent's draft or live version uses it."""
    require_unused(dictionary, agents_using(dictionary), "Take it off there and publish")
    _audit(dictionary, actor, "dictionary.deleted", {"name": (dictionary.name, "")})
    dictionary.delete()


@transaction.atomic
def entry_save(
    *,
    dictionary: PronunciationDictionary,
    actor: User,
    pronunciation: Pronunciation,
    entry: PronunciationEntry | None = None,
) -> PronunciationEntry:
    """Add an entry, or change `entry`. Raises ApiError: conflict when there is another of this text; validation failed
    when the dictionary is full."""
    _locked(dictionary)
    if dictionary.entries.filter(text=pronunciation.text).exclude(pk=entry.pk if entry else "").exists():
        message = f"“{pronunciation.text}” is in this dictionary already. Change it there."
        raise ApiError(ErrorCode.CONFLICT, "Already there", message)
    if entry is None:
        _require_room(dictionary, 1)
    saved = entry or PronunciationEntry(dictionary=dictionary)
    before = {} if entry is None else entry.pronunciation.model_dump()
    after = pronunciation.model_dump()
    _set(saved, after)
    saved.save()
    changes = {name: (before.get(name, ""), value) for name, value in after.items() if before.get(name, "") != value}
    if changes:
        _audit(dictionary, actor, "dictionary.entry_saved", changes)
    return saved


@transaction.atomic
def entry_delete(*, entry: PronunciationEntry, actor: User) -> None:
    _audit(entry.dictionary, actor, "dictionary.entry_deleted", {"text": (entry.text, "")})
    entry.delete()


@transaction.atomic
def entries_import(
    *, dictionary: PronunciationDictionary, actor: User, entries: Collection[Pronunciation]
) -> tuple[int, int]:
    """Add entries, and change those of the same text. How many were added, and how many changed. Raises ApiError
    (validation failed) when the dictionary cannot hold them all; then none are taken."""
    _locked(dictionary)
    known = {entry.text: entry for entry in dictionary.entries.all()}
    added = [
        _set(PronunciationEntry(dictionary=dictionary), new.model_dump()) for new in entries if new.text not in known
    ]
    changed = [
        _set(known[new.text], new.model_dump())
        for new in entries
        if new.text in known and known[new.text].pronunciation != new
    ]
    _require_room(dictionary, len(added))
    PronunciationEntry.objects.bulk_create(added)
    PronunciationEntry.objects.bulk_update(changed, ["alias", "ipa", "case_sensitive", "whole_word"])
    if added or changed:
        _audit(dictionary, actor, "dictionary.imported", {"entries": ("", f"{len(added)} new, {len(changed)} changed")})
    return len(added), len(changed)


def _set(entry: PronunciationEntry, values: dict[str, Any]) -> PronunciationEntry:
    for name, value in values.items():
        setattr(entry, name, value)
    return entry


def _require_room(dictionary: PronunciationDictionary, more: int) -> None:
    if dictionary.entries.count() + more > MOST_ENTRIES:
        message = f"A dictionary holds up to {MOST_ENTRIES} entries. Make another one."
        raise ApiError(ErrorCode.VALIDATION_FAILED, "The dictionary is full", message)


def _locked(dictionary: PronunciationDictionary) -> PronunciationDictionary:
    current = PronunciationDictionary.objects.select_for_update().filter(pk=dictionary.pk).first()
    if current is None:
        raise ApiError(ErrorCode.NOT_FOUND, "This dictionary was deleted", "Somebody deleted it while you had it open.")
    return current


def _audit(dictionary: PronunciationDictionary, actor: User, action: str, changes: dict[str, tuple[Any, Any]]) -> None:
    organization = dictionary.organization
    audit(organization=organization, actor=actor, action=action, target=dictionary.pk, changes=changes)
