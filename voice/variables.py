"""The variables of a call: what it was given, what it learned, what it knows of itself, and how texts hold them.

`{{name}}` in a text stands for a value (`render`). There are three kinds of names: those that an agent declares or a
call is given; `system__…`, which the call itself knows (`SYSTEM`); and `secret__…`, which only requests of tools know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from voice.spec import Variable
from voice.values import fitting, in_letters, require_name

SYSTEM: Mapping[str, str] = {
    "system__caller_id": "The number or address of whoever called; when the agent calls, its own",
    "system__called_number": "The number or address that was called",
    "system__call_direction": "inbound or outbound",
    "system__channel": "How the call came: browser, phone, sip or api",
    "system__call_id": "The id of the call",
    "system__agent_id": "The id of the agent",
    "system__agent_name": "The name of the agent that speaks now",
    "system__time": "Now, in the agent's time zone: Thursday, 26 November 2026, 14:05",
    "system__date": "Today, in the agent's time zone: 2026-11-26",
    "system__timezone": "The agent's time zone: Europe/Berlin",
    "system__time_utc": "Now, in UTC: 2026-11-26T13:05:00Z",
    "system__call_duration_secs": "Whole seconds since the call began",
}
"""What each call knows of itself. What is not known on a channel is empty."""
OF_THE_CLOCK = frozenset(
    {"system__time", "system__date", "system__timezone", "system__time_utc", "system__call_duration_secs"}
)
MOST = 64
"""So many may be given to a call."""
LARGEST = 16 * 1024
"""Bytes of JSON that the variables of a call may have in all."""

_PLACE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")


class Variables(MutableMapping[str, object]):
    """The variables of one call. Times are read anew each time.

    `given` are the call's own values; those among them that begin with `system__` are what its line knows, and
    `system__time_utc` is when it began; without it that is `started`, or now. `elapsed` is the call's clock. Setting a
    value raises ValueError when its name, its type or its size will not do.
    """

    def __init__(
        self,
        given: Mapping[str, object] | None = None,
        *,
        declared: Iterable[Variable] = (),
        agent: str = "",
        timezone: str = "UTC",
        started: datetime | None = None,
        elapsed: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._elapsed = elapsed
        self._declared: dict[str, Variable] = {}
        self._values: dict[str, object] = {}
        self._system: dict[str, object] = {}
        for name, value in (given or {}).items():
            (self._system if name in SYSTEM else self._values)[name] = value
        begun = self._system.get("system__time_utc")
        self._started = datetime.fromisoformat(str(begun)) if begun else started or datetime.now(UTC)
        self.declare(declared, agent=agent, timezone=timezone)

    def declare(self, declared: Iterable[Variable], *, agent: str, timezone: str) -> None:
        """From now on an agent speaks that declares these: they have their defaults until they are set."""
        self._declared |= {one.name: one for one in declared}
        self._system |= {"system__timezone": timezone, **({"system__agent_name": agent} if agent else {})}
        self._zone = ZoneInfo(timezone)

    def facts(self) -> dict[str, object]:
        """What holds at the start of the call, and makes another one begin alike."""
        begun = {"system__time_utc": _utc(self._started)}
        known = {name: value for name, value in self._system.items() if value != ""}
        return {**known, **begun, **self._defaults(), **self._values}

    def __getitem__(self, name: str) -> object:
        if name in SYSTEM:
            return self._of_the_call(name)
        if name in self._values:
            return self._values[name]
        default = self._declared[name].value
        if default is None:
            raise KeyError(name)
        return default

    def __setitem__(self, name: str, value: object) -> None:
        require_name(name)
        if name in self._declared:
            value = fitting(value, self._declared[name].type)
        if _size({**self._values, name: value}) > LARGEST:
            raise ValueError(f"{name} does not fit: the variables of a call have at most {LARGEST // 1024} KiB.")
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**SYSTEM, **self._defaults(), **self._values})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _defaults(self) -> dict[str, object]:
        return {name: one.value for name, one in self._declared.items() if one.value is not None}

    def _of_the_call(self, name: str) -> object:
        now = self._started + timedelta(seconds=self._elapsed())
        match name:
            case "system__time":
                here = now.astimezone(self._zone)
                return f"{here:%A}, {here.day} {here:%B %Y, %H:%M}"
            case "system__date":
                return now.astimezone(self._zone).date().isoformat()
            case "system__time_utc":
                return _utc(now)
            case "system__call_duration_secs":
                return int(self._elapsed())
        return self._system.get(name, "")


def render(
    text: str,
    variables: Mapping[str, object],
    *,
    written: Callable[[object], str] = in_letters,
    missing: Callable[[str], str] = lambda name: "",
) -> str:
    """`text` with the values of its `{{names}}`; a dotted name leads into a value. Places in a value are left as they
    are. `written` puts a value into letters; `missing` gives the text for a name that has no value, or raises.
    """
    if "{{" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        found = value_at(variables, match[1])
        return missing(match[1]) if found is None else written(found)

    return _PLACE.sub(value, text)


def names_in(*texts: str) -> list[str]:
    """The names whose values these texts hold, each once. Of a dotted name, all of it."""
    return list(dict.fromkeys(name for text in texts for name in _PLACE.findall(text)))


def value_at(data: object, path: str) -> object:
    """What lies at a dotted path in JSON data ("slots.0.time"); None if nothing does."""
    for step in path.split(".") if path else ():
        if isinstance(data, Mapping) and step in data:
            data = data[step]
        elif isinstance(data, list) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def checked(given: Mapping[str, object], declared: Iterable[Variable] = ()) -> dict[str, object]:
    """The values that somebody gives a call, as their declarations have them. Raises ValueError, which says why not."""
    if len(given) > MOST:
        raise ValueError(f"These are {len(given)} variables; a call takes {MOST}.")
    kinds = {one.name: one.type for one in declared}
    found: dict[str, object] = {}
    for name, value in given.items():
        require_name(name)
        if not isinstance(value, str | int | float | bool):
            raise ValueError(f"{name} has to be a text, a number, true or false.")
        try:
            found[name] = fitting(value, kinds[name]) if name in kinds else value
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if _size(found) > LARGEST:
        raise ValueError(f"The variables of a call have at most {LARGEST // 1024} KiB.")
    return found


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _size(values: Mapping[str, object]) -> int:
    return len(json.dumps(values, ensure_ascii=False, default=str).encode())
