"""Edits that meet: two people changed the same draft, each on their own, and both changes are to stay.

What only one of them changed is taken from that one. What both changed is a conflict, which somebody decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

Choice = Literal["mine", "theirs"]
WHOLE = ("hearing", "voice", "model")
"""Settings that belong together: a voice of one vendor is none of another's."""


class Nothing(Enum):
    """In the place of a value: there is none (a step that was deleted), or it is not known any more."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT, UNKNOWN = Nothing.ABSENT, Nothing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Conflict:
    """`place` is the dotted path of a setting, with the steps of a flow by their ids: "flow.steps.greet.say"."""

    place: str
    mine: Any
    theirs: Any


def merge(
    base: Mapping[str, Any] | None, mine: Mapping[str, Any], theirs: Mapping[str, Any], choices: Mapping[str, Choice]
) -> tuple[dict[str, Any], list[Conflict]]:
    """Two edits of `base`, as JSON, in one. Without a `base` that is known every difference is a conflict.

    `choices` decide conflicts by their places. Gives what came of it and the conflicts that are not decided; for these
    it has what `theirs` has.
    """
    conflicts: list[Conflict] = []

    def join(base: Any, mine: Any, theirs: Any, place: tuple[str, ...]) -> Any:
        if mine == theirs or base == mine:
            return theirs
        if base == theirs:
            return mine
        if isinstance(mine, dict) and isinstance(theirs, dict) and (not place or place[0] not in WHOLE):
            nothing = ABSENT if isinstance(base, dict) else UNKNOWN
            known = base if isinstance(base, dict) else {}
            joined = {
                key: join(known.get(key, nothing), mine.get(key, ABSENT), theirs.get(key, ABSENT), (*place, str(key)))
                for key in {**theirs, **mine}
            }
            return {key: value for key, value in joined.items() if value is not ABSENT}
        path = ".".join(place)
        if choices.get(path) == "mine":
            return mine
        if choices.get(path) != "theirs":
            conflicts.append(Conflict(path, _written(path, mine), _written(path, theirs)))
        return theirs

    keyed = UNKNOWN if base is None else _keyed(base)
    merged = join(keyed, _keyed(mine), _keyed(theirs), ())
    return _listed(merged, _order(base, mine, theirs)), conflicts


def _keyed(config: Mapping[str, Any]) -> dict[str, Any]:
    """With the steps of its flow by their ids."""
    flow = config.get("flow")
    if not flow:
        return dict(config)
    return {**config, "flow": {**flow, "steps": {step["id"]: step for step in flow["steps"]}}}


def _written(place: str, value: Any) -> Any:
    """A value as it stands in a config."""
    if place == "flow" and value:
        return {**value, "steps": [*value["steps"].values()]}
    return value


def _listed(config: dict[str, Any], order: Sequence[str]) -> dict[str, Any]:
    flow = config.get("flow")
    if not flow:
        return config
    steps: dict[str, Any] = flow["steps"]
    known = [key for key in order if key in steps]
    return {**config, "flow": {**flow, "steps": [steps[key] for key in dict.fromkeys([*known, *steps])]}}


def _order(base: Mapping[str, Any] | None, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The ids of the steps, in the order of who changed it."""
    was, my, their = (_ids(config or {}) for config in (base, mine, theirs))
    return my if their == was else their


def _ids(config: Mapping[str, Any]) -> list[str]:
    return [step["id"] for step in (config.get("flow") or {}).get("steps", ())]
