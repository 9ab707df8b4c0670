"""Reads of calls: the rows of the list, and everything that the page of one call shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from billing.costs import Costs, costs
from billing.reports.calls import CallCharges, call_charges
from billing.selectors import price_book
from telephony import transcript
from telephony.costs import usages
from telephony.models import Call, CallEvent
from telephony.recordings import stored_recording
from telephony.words import EVENTS
from voice import events
from voice.conversation import EndReason
from voice.events import Event

PAGE_SIZE = 50
EVENTS_SHOWN = 1000

PROCESS_LOST = "process_lost"
"""The end reason of a call whose process died under it."""

# End reasons as people read them, and how bad they are.
REASONS: Mapping[str, tuple[str, str]] = {
    EndReason.AGENT.value: ("Agent hung up", "success"),
    EndReason.CALLER.value: ("Caller hung up", "success"),
    EndReason.TRANSFERRED.value: ("Transferred", "success"),
    EndReason.VOICEMAIL.value: ("Machine answered", "warning"),
    EndReason.INACTIVITY.value: ("Caller was silent", "warning"),
    EndReason.MAX_DURATION.value: ("Time was up", "warning"),
    EndReason.BUDGET.value: ("Money was used up", "warning"),
    EndReason.NO_AUDIO.value: ("No audio arrived", "warning"),
    EndReason.CONNECTION_LOST.value: ("Connection lost", "warning"),
    EndReason.SHUTDOWN.value: ("Server was stopped", "warning"),
    EndReason.ERROR.value: ("Failed", "error"),
    PROCESS_LOST: ("Server died", "error"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A call in a list. Of a live call `duration` is how long it has lasted, and `reason` is empty."""

    id: str
    url: str
    agent_name: str
    agent_url: str
    version: str
    version_url: str
    channel: str
    channel_label: str
    started_at: datetime
    started_by: str
    live: bool
    duration: float
    turns: int
    reason: str
    reason_label: str
    tone: str
    has_recording: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    sequence: int
    at: float
    type: str
    label: str
    turn: int | None
    summary: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A call in figures. Latencies, speaking times and the duration are seconds; None where nothing is known."""

    duration: float
    caller_turns: int
    agent_turns: int
    interruptions: int
    tool_calls: int
    failures: int
    troubles: int
    """Failures, and waits that the guard did something about."""
    latency_median: float | None
    latency_p95: float | None
    caller_seconds: float
    agent_seconds: float
    input_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    call: CallRow
    end_detail: str
    ended_at: datetime | None
    recording_url: str
    outline_url: str
    recording_kind: str
    recording_seconds: float
    recording_sha256: str
    recording_deleted_at: datetime | None
    events_url: str
    numbers: Numbers
    turns: list[transcript.Turn]
    events: list[EventRow]
    events_total: int
    costs: Costs
    charges: CallCharges
    corrections: int
    """What the ledger has beyond the lines of the providers: prices that changed since, refunds. Micro-dollars."""

    @property
    def total(self) -> int:
        """What the call costs: to the micro-dollar what the ledger has, as soon as it has it."""
        return sum(line.amount for line in self.charges.platform) + self.costs.total + self.corrections


def calls_of(organization: Organization) -> QuerySet[Call]:
    """All calls of a workspace, newest first."""
    return (
        Call.objects.filter(organization=organization)
        .select_related("agent", "version", "organization", "started_by")
        .order_by("-started_at", "-id")
    )


def page_of(calls: QuerySet[Call], cursor: str) -> tuple[list[CallRow], str]:
    """The rows after the call with the id `cursor` (empty: from the start), and the cursor of the page after them."""
    last = calls.filter(pk=cursor).first() if cursor else None
    if last is not None:
        calls = calls.filter(Q(started_at__lt=last.started_at) | Q(started_at=last.started_at, pk__lt=last.pk))
    found = list(calls[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    turns = _turns_of(shown)
    return [row(call, turns.get(call.pk, 0)) for call in shown], shown[-1].pk if len(found) > PAGE_SIZE else ""


def row(call: Call, turns: int) -> CallRow:
    """`call` with its related objects, and how many turns the caller took in it."""
    live = call.state == Call.State.LIVE
    label, tone = ("Live", "live") if live else reason(call.end_reason)
    slug, gone = call.organization.slug, call.agent.deleted_at is not None
    return CallRow(
        id=call.pk,
        url=reverse("call", args=[slug, call.pk]),
        agent_name=call.agent.name,
        agent_url="" if gone else reverse("agent", args=[slug, call.agent_id]),
        version=call.version.label,
        version_url="" if gone else reverse("agent_version", args=[slug, call.agent_id, call.version_id]),
        channel=call.channel,
        channel_label=call.get_channel_display(),
        started_at=call.started_at,
        started_by=str(call.started_by or ""),
        live=live,
        duration=(timezone.now() - call.started_at).total_seconds() if live else call.duration_ms / 1000,
        turns=turns,
        reason=call.end_reason,
        reason_label=label,
        tone=tone,
        has_recording=call.recording_seconds > 0 and call.recording_deleted_at is None,
    )


def reason(code: str) -> tuple[str, str]:
    """An end reason in words, and its tone."""
    return REASONS.get(code, (code.replace("_", " ").capitalize(), "warning"))


def _turns_of(calls: Iterable[Call]) -> dict[str, int]:
    counted = CallEvent.objects.filter(call__in=list(calls), type=events.CallerTurn.type)
    return dict(counted.order_by().values_list("call_id").annotate(Count("id")))


def call_page(call: Call) -> CallPage:
    """Everything about one call, ended or not."""
    rows = list(call.events.order_by("sequence"))
    happened = [event for event in map(transcript.decoded, rows) if event is not None]
    turns = transcript.turns(happened)
    head = row(call, sum(isinstance(event, events.CallerTurn) for event in happened))
    args = [call.organization.slug, call.pk]
    recording = recording_of(call)
    spent = costs(usages(happened, call.services), price_book(call.organization, call.started_at).price_of)
    charges = call_charges(call.organization, call.pk)
    return CallPage(
        call=head,
        end_detail=call.end_detail,
        ended_at=call.ended_at,
        recording_url=reverse("call_recording", args=args) if recording else "",
        outline_url=reverse("call_outline", args=args) if recording else "",
        recording_kind=recording.suffix.removeprefix(".").upper() if recording else "",
        recording_seconds=call.recording_seconds,
        recording_sha256=call.recording_sha256,
        recording_deleted_at=call.recording_deleted_at,
        events_url=reverse("call_events", args=args),
        numbers=_numbers(head.duration, happened, turns),
        turns=turns,
        events=[_event_row(event) for event in rows[:EVENTS_SHOWN]],
        events_total=len(rows),
        costs=spent,
        charges=charges,
        corrections=charges.providers - spent.total if call.metered_at else 0,
    )


def recording_of(call: Call) -> Path | None:
    """The recording's file, of a call that has ended and whose recording was not taken away since."""
    return stored_recording(call.pk) if call.recording_seconds > 0 else None


def events_after(call: Call, sequence: int) -> list[tuple[int, dict[str, Any]]]:
    """The call's events behind the one with this number, as `voice.events.encode` gave them, each with its number."""
    found = call.events.filter(sequence__gt=sequence).order_by("sequence").iterator()
    return [(event.sequence, event.encoded) for event in found]


def _numbers(duration: float, happened: list[Event], turns: list[transcript.Turn]) -> Numbers:
    waits = [turn.latency.total for turn in turns if turn.latency is not None]
    said = [event for event in happened if isinstance(event, events.AgentTurn)]
    asked = [event for event in happened if isinstance(event, events.CallerTurn)]
    answers = [event for event in happened if isinstance(event, events.ModelFinished)]
    return Numbers(
        duration=duration,
        caller_turns=len(asked),
        agent_turns=len(said),
        interruptions=sum(event.interrupted for event in said),
        tool_calls=sum(isinstance(event, events.ToolCalled) for event in happened),
        failures=sum(isinstance(event, events.ProviderFailed) for event in happened),
        troubles=sum(map(_is_trouble, happened)),
        latency_median=median(waits) if waits else None,
        latency_p95=_percentile_95(waits),
        caller_seconds=sum(event.ended - event.started for event in asked),
        agent_seconds=sum(event.ended - event.started for event in said),
        input_tokens=_sum(answer.input_tokens for answer in answers),
        output_tokens=_sum(answer.output_tokens for answer in answers),
    )


def _is_trouble(event: Event) -> bool:
    """A provider failed, or kept the caller waiting. (A line without audio may be that of somebody who types.)"""
    slow = isinstance(event, events.ProviderSlow) and event.role != "transport"
    return slow or isinstance(event, events.ProviderFailed)


def _percentile_95(values: list[float]) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=20, method="inclusive")[-1]


def _sum(counts: Iterable[int | None]) -> int | None:
    """The sum of what is known; None when nothing is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


# What says most about an event in one line, first found.
_TELLING = (
    "text",
    "reason",
    "verdict",
    "error",
    "claim",
    "query",
    "name",
    "finish",
    "to",
    "digits",
    "digit",
    "provider",
    "agent",
    "step",
    "value",
)


def _event_row(event: CallEvent) -> EventRow:
    data = event.data
    words = " ".join(word["text"] for word in data["words"]) if data.get("words") else ""
    telling = words or next((str(data[key]) for key in _TELLING if data.get(key)), "")
    return EventRow(
        sequence=event.sequence,
        at=event.at,
        type=event.type,
        label=EVENTS.get(event.type, event.type),
        turn=event.turn,
        summary=telling if len(telling) <= 160 else telling[:159] + "…",
        data=json.dumps(data, indent=2, ensure_ascii=False),
    )
