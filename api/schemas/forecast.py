"""The shapes of forecasts, which Cartesia's API does not have."""

from __future__ import annotations

from ninja import Schema
from pydantic import Field


class BatchQuery(Schema):
    agent_id: str
    recipients: int = Field(ge=1, le=5000, description="How many people are to be called.")


class SpreadOut(Schema):
    """In half of the cases it is at most `p50`, in 95 of 100 at most `p95`."""

    p50: int
    p95: int


class BatchForecast(Schema):
    recipients: int
    calls: SpreadOut = Field(description="How many answer.")
    seconds: SpreadOut
    micro_dollars: SpreadOut = Field(description="What it costs; 1,000,000 are a dollar.")
    past_calls: int = Field(description="From how many calls of the agent this was drawn; 0 is a guess.")
