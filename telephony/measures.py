"""How quick each service of a call was, and what it was given to do: read from the call's events when it is over."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from billing.costs import Component
from billing.selectors import LOCAL
from builder.measures.models import ServiceMeasure
from telephony.costs import usages
from telephony.models import Call
from voice import events
from voice.events import Event

# A prompt of fewer new tokens is read in no time that could be told from that of the way there.
LEAST_TOKENS = 200

Key = tuple[Component, str, str]
"""Role, vendor, model."""


@dataclass(slots=True)
class _Times:
    waits: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)


def measures_of(call: Call, happened: Iterable[Event]) -> list[ServiceMeasure]:
    """What `call`, which is over, has measured of its services."""
    listed = list(happened)
    times = _Stopwatch(call.services).read(listed)
    quantities: dict[Key, dict[str, float]] = defaultdict(dict)
    for usage in usages(listed, call.services):
        of_service = quantities[usage.component, usage.vendor, usage.model]
        of_service[usage.unit] = of_service.get(usage.unit, 0.0) + float(usage.quantity)
    return [
        ServiceMeasure(
            organization_id=call.organization_id,
            call_id=call.pk,
            role=role,
            vendor=vendor,
            model=model,
            ended_at=call.ended_at or call.started_at,
            call_seconds=call.duration_ms / 1000,
            waited_ms=_median(times[role, vendor, model].waits, 1000),
            read_speed=_median(times[role, vendor, model].speeds, 1),
            quantities=quantities.get((role, vendor, model), {}),
        )
        for role, vendor, model in dict.fromkeys([*times, *quantities])
        if vendor
    ]


def _median(values: list[float], scale: int) -> int | None:
    return round(scale * statistics.median(values)) if values else None


class _Stopwatch:
    def __init__(self, services: Iterable[Mapping[str, str]]) -> None:
        self._known = {(service["role"], service["name"]): service for service in services}
        self._asked: dict[str, events.ModelRequested] = {}
        self._first: dict[str, float] = {}
        self._spoken: dict[str, events.SpeechRequested] = {}
        self._times: dict[Key, _Times] = defaultdict(_Times)

    def read(self, happened: Iterable[Event]) -> dict[Key, _Times]:
        for event in happened:
            self._take(event)
        return self._times

    def _take(self, event: Event) -> None:
        match event:
            case events.CallerSegment() if event.took > 0:
                self._of("stt", event.provider).waits.append(event.took)
            case events.ModelRequested():
                self._asked[event.request] = event
            case events.ModelFirstToken() if event.request in self._asked:
                asked = self._asked[event.request]
                self._first[event.request] = event.at - asked.at
                self._of("llm", asked.provider, asked.model).waits.append(event.at - asked.at)
            case events.ModelFinished() if event.request in self._first:
                self._note_speed(event)
            case events.SpeechRequested():
                self._spoken[event.request] = event
            case events.SpeechFirstAudio() if event.request in self._spoken:
                self._first[event.request] = event.at - self._spoken[event.request].at
            case events.SpeechFinished(cached=False) if event.request in self._first:
                # What was kept from before is there at once, and says nothing of the voice.
                self._of("tts", self._spoken[event.request].provider).waits.append(self._first[event.request])

    def _note_speed(self, event: events.ModelFinished) -> None:
        waited = self._first[event.request]
        new = (event.input_tokens or 0) - (event.cached_tokens or 0)
        if new >= LEAST_TOKENS and waited > 0:
            asked = self._asked[event.request]
            self._of("llm", asked.provider, asked.model).speeds.append(new / waited)

    def _of(self, role: Component, provider: str, model: str = "") -> _Times:
        if ("realtime", provider) in self._known:
            role = "realtime"
        service = self._known.get((role, provider), {})
        vendor = service.get("vendor", LOCAL if provider.partition("-")[0] == LOCAL else "")
        return self._times[role, vendor, model or service.get("model", "")]
