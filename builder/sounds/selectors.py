"""What the page of background sounds reads."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Organization
from builder.choices import BEDS
from builder.models import Agent
from builder.sounds.models import AmbientSound
from voice.media.ambient import NAMES


@dataclass(frozen=True, slots=True)
class SoundRow:
    """A sound in the list; `stored` is None for ours, which cannot be deleted."""

    name: str
    label: str
    seconds: float
    agents: list[Agent]
    stored: AmbientSound | None = None


OUR_SECONDS = 20.0


def sound_list(organization: Organization) -> list[SoundRow]:
    """Ours, and those of the workspace by name."""
    users: dict[str, list[Agent]] = {}
    for agent in organization.agents.filter(deleted_at=None).select_related("organization", "live_version"):
        for name in beds_of(agent):
            users.setdefault(name, []).append(agent)
    ours = [SoundRow(name, label_of(name), OUR_SECONDS, users.get(name, [])) for name in NAMES]
    stored = organization.ambient_sounds.all()
    return [*ours, *(SoundRow(each.pk, each.name, each.seconds, users.get(each.pk, []), each) for each in stored)]


def label_of(name: str) -> str:
    """One of ours for people."""
    return dict(BEDS)[name]


def choices(organization: Organization, chosen: str = "") -> list[tuple[str, str]]:
    """As a form's select takes them. One that was chosen and is gone is offered too, to be seen."""
    known = [*BEDS]
    known += list(organization.ambient_sounds.values_list("pk", "name"))
    return known if chosen in dict(known) else [*known, (chosen, "A deleted sound")]


def beds_of(agent: Agent) -> set[str]:
    """The background sounds of its draft and its live version."""
    return {config.ambient.bed for config in agent.configs} - {""}


def agents_using(sound: AmbientSound) -> list[Agent]:
    """The agents, not deleted, whose draft or live version has it behind them."""
    agents = Agent.objects.filter(organization_id=sound.organization_id, deleted_at=None)
    return [agent for agent in agents.select_related("live_version") if sound.pk in beds_of(agent)]
