"""Dictionaries and their entries."""

from __future__ import annotations

import json
from typing import ClassVar

from django.db import models
from django.urls import reverse

from accounts.models import Organization
from core.ids import PrefixedIdField
from voice.spec import Pronunciation

LONGEST_TEXT, LONGEST_SAID = 100, 200


class PronunciationDictionary(models.Model):
    """Entries that agents get together. What changes in it is heard from the next call on."""

    id = PrefixedIdField(prefix="dict")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="pronunciation_dictionaries")
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="dictionary_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        address = {"workspace": self.organization.slug, "dictionary_id": self.pk}
        return reverse("pronunciation_dictionary", kwargs=address)


class PronunciationEntry(models.Model):
    """How some words are said: a `voice.spec.Pronunciation`, stored."""

    id = PrefixedIdField(prefix="pron")
    dictionary = models.ForeignKey(PronunciationDictionary, models.CASCADE, related_name="entries")
    text = models.CharField(max_length=LONGEST_TEXT)
    alias = models.CharField(max_length=LONGEST_SAID, blank=True)
    ipa = models.CharField(max_length=LONGEST_SAID, blank=True)
    case_sensitive = models.BooleanField(default=False)
    whole_word = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["text"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dictionary", "text"], name="dictionary_text_once"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def pronunciation(self) -> Pronunciation:
        return Pronunciation(
            text=self.text,
            alias=self.alias,
            ipa=self.ipa,
            case_sensitive=self.case_sensitive,
            whole_word=self.whole_word,
        )

    @property
    def before(self) -> str:
        """For a listen button: the words by themselves."""
        return json.dumps({"text": self.text, "alias": self.alias, "ipa": self.ipa})

    @property
    def after(self) -> str:
        """For a listen button: the words as they are to be said."""
        return json.dumps({"text": self.text, "alias": self.alias, "ipa": self.ipa, "after": "on"})
