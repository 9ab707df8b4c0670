"""Calls and what happened in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from django.db import models

from accounts.models import Organization, User
from builder.models import Agent, AgentVersion
from core.ids import PrefixedIdField


class Call(models.Model):
    """One conversation. What was said and done in it is in its events; the fields here are for lists and admission."""

    class State(models.TextChoices):
        LIVE = "live", "Live"
        ENDED = "ended", "Ended"

    class Channel(models.TextChoices):
        BROWSER = "browser", "Browser test"

    class Line(models.TextChoices):
        """What it came or went by, which decides whether telephony is charged."""

        NONE = "", "Browser or API"
        PLATFORM = "platform", "A number of the platform"
        OWN = "own", "One's own carrier"

    class Direction(models.TextChoices):
        WEB = "web", "Web"
        INBOUND = "inbound", "Inbound"
        OUTBOUND = "outbound", "Outbound"

    id = PrefixedIdField(prefix="call")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="calls")
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="calls")
    version = models.ForeignKey(AgentVersion, models.PROTECT, related_name="calls")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    line = models.CharField(max_length=10, choices=Line.choices, blank=True, default=Line.NONE)
    direction = models.CharField(max_length=10, choices=Direction.choices, default=Direction.WEB)
    number = models.CharField(max_length=40, blank=True)
    """The number of ours that was called, or that called."""
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.LIVE)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    """When the process that holds the call last said it was alive."""
    process = models.CharField(max_length=60)
    """Which run of which process holds the call: host, process id and boot id."""
    ended_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveBigIntegerField(default=0)
    end_reason = models.CharField(max_length=40, blank=True)
    """A `voice.conversation.EndReason` value, or `process_lost`."""
    end_detail = models.CharField(max_length=300, blank=True)
    services = models.JSONField(default=list)
    """The hosted services that it may use, as its events call them: objects with `role`, `name`, `vendor`, `model`."""
    metered_at = models.DateTimeField(null=True, blank=True)
    """When it was written down what its providers did."""
    recording_seconds = models.FloatField(default=0.0)
    """Length of the recording; 0 when there is none. The file's place follows from the id."""
    recording_format = models.CharField(max_length=8, blank=True)
    """How the file is kept, `flac` or `wav`; empty until it was sealed."""
    recording_sha256 = models.CharField(max_length=64, blank=True)
    """The seal: the SHA-256 of the file as it is kept and downloaded."""
    recording_deleted_at = models.DateTimeField(null=True, blank=True)
    """When the recording was deleted because it was old."""

    class Meta:
        ordering: ClassVar = ["-started_at"]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-started_at"], name="call_list"),
            # The search for calls whose process died reads only live ones.
            models.Index(fields=["heartbeat_at"], condition=models.Q(state="live"), name="live_call_heartbeat"),
            # Calls of which it is still to be written down what their providers did.
            models.Index(
                fields=["ended_at"], condition=models.Q(state="ended", metered_at=None), name="call_unmetered"
            ),
            # Recordings that are to be sealed, or are too old.
            models.Index(
                fields=["ended_at"],
                condition=models.Q(recording_seconds__gt=0, recording_deleted_at=None),
                name="recording_kept",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class CallEvent(models.Model):
    """One event of a call, as `voice.events.encode` gives it; `sequence` counts from 0 within the call."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="events")
    sequence = models.PositiveIntegerField()
    at = models.FloatField()
    type = models.CharField(max_length=40)
    turn = models.PositiveIntegerField(null=True)
    data = models.JSONField()
    """The event's other fields."""

    class Meta:
        ordering: ClassVar = ["call", "sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call", "sequence"], name="call_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.sequence} {self.type}"

    @classmethod
    def of(cls, call_id: str, sequence: int, encoded: Mapping[str, Any]) -> Self:
        """The row, not yet stored, of an event that `voice.events.encode` made `encoded` of."""
        rest = {name: value for name, value in encoded.items() if name not in ("type", "at", "turn")}
        return cls(
            call_id=call_id,
            sequence=sequence,
            at=encoded["at"],
            type=encoded["type"],
            turn=encoded.get("turn"),
            data=rest,
        )

    @property
    def encoded(self) -> dict[str, Any]:
        """The event as `voice.events.encode` gave it."""
        turn = {} if self.turn is None else {"turn": self.turn}
        return {"type": self.type, "at": self.at, **turn, **self.data}


# Django looks for an app's models here.
from telephony.reports import models as reports  # noqa: E402, F401
