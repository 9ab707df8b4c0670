"""What pages and calls read of dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from accounts.models import Organization
from builder.models import Agent
from builder.pronunciations.models import PronunciationDictionary, PronunciationEntry
from voice.spec import Pronunciation


@dataclass(frozen=True, slots=True)
class DictionaryRow:
    """A dictionary, how many entries it has, and the agents that use it, in their draft or live."""

    dictionary: PronunciationDictionary
    entries: int
    agents: list[Agent]


def dictionary_list(organization: Organization) -> list[DictionaryRow]:
    """The workspace's dictionaries by name."""
    used = [(agent, _dictionaries_of(agent)) for agent in _agents(organization.pk)]
    found = organization.pronunciation_dictionaries.select_related("organization").annotate(count=Count("entries"))
    return [DictionaryRow(each, each.count, [agent for agent, keys in used if each.pk in keys]) for each in found]


def agents_using(dictionary: PronunciationDictionary) -> list[Agent]:
    """The agents, not deleted, whose draft or live version uses `dictionary`."""
    return [agent for agent in _agents(dictionary.organization_id) if dictionary.pk in _dictionaries_of(agent)]


def pronunciations(organization_id: str, dictionaries: Sequence[str]) -> tuple[Pronunciation, ...]:
    """The entries of some dictionaries of a workspace, those of the first one first. Deleted ones have none."""
    if not dictionaries:
        return ()
    found = PronunciationEntry.objects.filter(
        dictionary_id__in=dictionaries, dictionary__organization_id=organization_id
    )
    order = {key: place for place, key in enumerate(dictionaries)}
    return tuple(entry.pronunciation for entry in sorted(found, key=lambda entry: order[entry.dictionary_id]))


def _agents(organization_id: str) -> list[Agent]:
    agents = Agent.objects.filter(organization_id=organization_id, deleted_at=None)
    return list(agents.select_related("organization", "live_version"))


def _dictionaries_of(agent: Agent) -> set[str]:
    return {key for config in agent.configs for key in config.pronunciations}
