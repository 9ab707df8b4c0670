"""`/forecast`: what calls that are yet to come will cost. Takes standard keys."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from ninja import Query, Router

from api.auth import KeyRequest, standard_key
from api.schemas.forecast import BatchForecast, BatchQuery, SpreadOut
from api.throttles import KeyThrottle
from billing.forecast import Spread
from builder.access import get_agent
from telephony.reports.forecast import batch_forecast

router = Router(auth=standard_key, throttle=KeyThrottle("60/m", scope="forecast"), tags=["Forecast"])


@router.get("/batch", response=BatchForecast, operation_id="forecast_batch", summary="What a batch of calls will cost")
def batch(request: HttpRequest, asked: Query[BatchQuery]) -> BatchForecast:
    """Drawn from the agent's last calls, and from how many of its calls were answered."""
    agent = get_agent(cast("KeyRequest", request).auth.organization, asked.agent_id)
    found = batch_forecast(agent, recipients=asked.recipients)
    return BatchForecast(
        recipients=asked.recipients,
        calls=_out(found.calls),
        seconds=_out(found.seconds),
        micro_dollars=_out(found.amount),
        past_calls=found.past_calls,
    )


def _out(spread: Spread) -> SpreadOut:
    return SpreadOut(p50=spread.p50, p95=spread.p95)
