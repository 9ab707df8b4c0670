"""The shapes of the usage API."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from ninja import Schema
from pydantic import AwareDatetime, Field

from billing.reports.windows import Interval


class Span(Schema):
    """Which days. Without both ends it is the last 30 days up to now."""

    start_ts: AwareDatetime | None = Field(None, description="Rounded down to the start of its UTC day.")
    end_ts: AwareDatetime | None = Field(None, description="Rounded up to the end of its UTC day.")
    interval: Interval | None = Field(None, description="Without it there is one bucket.")


class AgentsBucket(Schema):
    """What the calls of some days came to."""

    start_ts: datetime
    end_ts: datetime
    cents: int = Field(description="What they cost, in cents, rounded to the nearest.")
    minutes: float = Field(description="How long agents talked.")
    calls: int = Field(description="How many calls began.")


class AgentsUsage(Schema):
    data: list[AgentsBucket]


class GroupBy(StrEnum):
    CAPABILITY = "capability"
    MODEL = "model"
    VOICE = "voice"
    API_KEY = "api_key"


class CreditsBucket(Schema):
    start_ts: datetime
    end_ts: datetime
    credits: int


class CreditsSeries(Schema):
    """The credits of one capability, model, voice or API key."""

    id: str
    label: str | None = None
    buckets: list[CreditsBucket]


class CreditsUsage(Schema):
    """Buckets in order of time; series of them, where `group_by` was asked for."""

    group_by: GroupBy | None = None
    data: list[CreditsBucket] | list[CreditsSeries]
