"""`/usage`: what a workspace used, in the shapes of Cartesia's API. Takes admin keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, cast

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from accounts.models import ApiKey, Organization
from api.auth import KeyRequest, admin_key
from api.schemas.usage import AgentsBucket, AgentsUsage, CreditsBucket, CreditsSeries, CreditsUsage, GroupBy, Span
from api.throttles import KeyThrottle
from billing.reports.selectors import credits_by_day, usage_by_time
from billing.reports.windows import LONGEST, Interval, Window
from core.errors import ApiError, ErrorCode

CENT = 10_000
DEFAULT_SPAN = timedelta(days=30)
UNNAMED_KEY = "unnamed_key"
"""Stands for what no key asked for, such as the calls of agents."""

router = Router(auth=admin_key, throttle=KeyThrottle("120/m", scope="usage"), tags=["Usage"])


@router.get("/agents", response=AgentsUsage, operation_id="usage_agents", summary="Minutes and costs of agents")
def agents(request: HttpRequest, span: Query[Span]) -> AgentsUsage:
    """Buckets in order of time; those without calls are zero."""
    data = [
        AgentsBucket(
            start_ts=part.starts_at,
            end_ts=part.ends_at,
            cents=(2 * usage.charged + CENT) // (2 * CENT),
            minutes=round(usage.minutes, 2),
            calls=usage.calls,
        )
        for part, usage in usage_by_time(_organization(request), _window(span), span.interval)
    ]
    return AgentsUsage(data=data)


@router.get(
    "/credits",
    response=CreditsUsage,
    operation_id="usage_credits",
    summary="Credits that models took",
    exclude_unset=True,
)
def credits_used(
    request: HttpRequest,
    span: Query[Span],
    api_key_id: Annotated[str, Query(description="Only what this key asked for.")] = "",
    group_by: Annotated[GroupBy | None, Query(description="Then `interval` may only be `day`.")] = None,
) -> CreditsUsage:
    """Buckets in order of time; with `group_by`, daily ones for each of its values."""
    window, organization = _window(span), _organization(request)
    if group_by is None:
        days = credits_by_day(organization, window, api_key=api_key_id).get("", {})
        return CreditsUsage(data=_buckets(days, window, span.interval))
    if span.interval not in (None, Interval.DAY):
        raise _invalid("With group_by, interval is day.")
    if group_by == GroupBy.API_KEY and api_key_id:
        raise _invalid("Either filter by api_key_id or group by api_key.")
    found = credits_by_day(organization, window, by=group_by.value, api_key=api_key_id)
    labels = _labels(organization) if group_by == GroupBy.API_KEY else {}
    series = [
        CreditsSeries(
            id=value or (UNNAMED_KEY if group_by == GroupBy.API_KEY else "unknown"),
            label=labels.get(value),
            buckets=_buckets(days, window, Interval.DAY),
        )
        for value, days in sorted(found.items())
    ]
    return CreditsUsage(group_by=group_by, data=series)


def _organization(request: HttpRequest) -> Organization:
    return cast("KeyRequest", request).auth.organization


def _window(span: Span) -> Window:
    end = span.end_ts or timezone.now()
    start = span.start_ts or end - DEFAULT_SPAN
    if start >= end:
        raise _invalid("end_ts has to be after start_ts.")
    try:
        window = Window.around(start, end)
    except OverflowError:
        raise _invalid("These times are beyond what a calendar has.") from None
    if window.length > LONGEST:
        raise _invalid("From start_ts to end_ts there may be a year at most.")
    return window


def _invalid(message: str) -> ApiError:
    return ApiError(ErrorCode.INVALID_REQUEST, "Invalid request", message)


def _buckets(days: Mapping[date, int], window: Window, interval: Interval | None) -> list[CreditsBucket]:
    return [
        CreditsBucket(
            start_ts=part.starts_at, end_ts=part.ends_at, credits=sum(days.get(day, 0) for day in part.days())
        )
        for part in window.parts(interval)
    ]


def _labels(organization: Organization) -> dict[str, str]:
    return dict(ApiKey.objects.filter(organization=organization).values_list("pk", "name"))
