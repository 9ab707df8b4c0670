"""What a config refers to by id, and by which name people know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from accounts.models import Organization
from builder import vendors
from builder.config import LOCAL

Kind = Literal["connection", "sms", "tool", "folder", "dictionary", "agent"]
Place = tuple[str | int, ...]
"""Where something stands in a config: keys and positions, such as ("voice", "fallbacks", 0, "connection")."""

PLACES: Mapping[str, Kind] = {
    "tools.*": "tool",
    "knowledge.*": "folder",
    "pronunciations.*": "dictionary",
    "hearing.connection": "connection",
    "hearing.fallbacks.*.connection": "connection",
    "voice.connection": "connection",
    "voice.fallbacks.*.connection": "connection",
    "model.connection": "connection",
    "model.fallbacks.*.connection": "connection",
    "flow.steps.*.tools.*": "tool",
    "flow.steps.*.tool": "tool",
    "flow.steps.*.folders.*": "folder",
    "flow.steps.*.agent": "agent",
    "flow.steps.*.connection": "sms",
    "handoffs.*.agent": "agent",
}
"""The settings that hold an id; `*` stands for each of a list."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of what can be referred to, by id. Within a kind no two have the same.

    An id always means what has it: something whose name is also an id of its kind is called by its own id.
    """

    by_id: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, organization: Organization) -> Names:
        """Those of a workspace."""
        agents = organization.agents.filter(deleted_at=None).order_by("-created_at").values_list("pk", "name")
        # Of agents with one name the oldest has it to itself; the others are known by their ids.
        oldest = {name: key for key, name in agents}
        connections = [(found.pk, found.name, found.vendor) for found in organization.model_connections.all()]
        return cls(
            {
                "connection": {key: name for key, name, _ in connections},
                "sms": {key: name for key, name, vendor in connections if vendors.has_role(vendor, "sms")},
                "tool": dict(organization.tools.values_list("pk", "name")),
                "folder": dict(organization.knowledge_folders.values_list("pk", "name")),
                "dictionary": dict(organization.pronunciation_dictionaries.values_list("pk", "name")),
                "agent": {key: name if oldest[name] == key else key for key, name in agents},
            }
        )

    def name(self, kind: Kind, key: str) -> str:
        """The name of what has this id; the id itself where there is nothing, or where the name would mean another."""
        known = self.by_id.get(kind, {})
        name = known.get(key, key)
        return key if name in known or name in (LOCAL, "") else name

    def key(self, kind: Kind, word: str) -> str | None:
        """The id of what is meant by a name or an id."""
        known = self.by_id.get(kind, {})
        if word in known:
            return word
        return next((key for key, name in known.items() if name == word), None)


def references(config: Mapping[str, Any]) -> Iterator[tuple[Kind, Place, str]]:
    """Each reference in a config as JSON: of which kind, where, and the id. What has another shape is passed over."""
    for pattern, kind in PLACES.items():
        for place, value in _matches(config, pattern.split("."), ()):
            if isinstance(value, str) and value:
                yield kind, place, value


def _matches(value: Any, pattern: list[str], place: Place) -> Iterator[tuple[Place, Any]]:
    if not pattern:
        yield place, value
        return
    key, *rest = pattern
    if key == "*":
        items: Any = enumerate(value) if isinstance(value, list | tuple) else ()
    else:
        items = [(key, value[key])] if isinstance(value, dict) and key in value else ()
    for step, inner in items:
        yield from _matches(inner, rest, (*place, step))


def put(config: Any, place: Place, value: Any) -> None:
    """Set what stands at a place of a config as JSON."""
    for step in place[:-1]:
        config = config[step]
    config[place[-1]] = value
