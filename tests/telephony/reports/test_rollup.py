"""Facts are added up by day: once or often, in whatever order they come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import Organization
from billing.reports.models import ComponentDay, ComponentMonth, UsageDay, UsageMonth
from billing.reports.selectors import Usage, component_use, counted_until, usage_by, usage_by_time
from billing.reports.windows import Interval, Window
from billing.usage.models import Charge
from billing.usage.services import usage_refund
from telephony.reports.costs import outcomes
from telephony.reports.models import OutcomeDay, OutcomeMonth
from telephony.tasks import roll_up_usage
from tests.conftest import CallFactory
from tests.facts import used

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 3)
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
WINDOW = Window(DAY, DAY + timedelta(days=1))


def everything() -> list[Any]:
    """All sums, without their ids."""
    kinds: list[Any] = [UsageDay, UsageMonth, ComponentDay, ComponentMonth, OutcomeDay, OutcomeMonth]
    return [
        sorted(tuple(sorted((k, v) for k, v in row.items() if k != "id")) for row in kind.objects.values())
        for kind in kinds
    ]


def of_the_day(workspace: Organization) -> Usage:
    ((_, usage),) = usage_by_time(workspace, WINDOW, Interval.DAY)
    return usage


def test_a_day_has_the_calls_the_seconds_and_the_money_of_its_facts(
    workspace: Organization, call_factory: CallFactory
) -> None:
    used(call_factory(started_at=NOON, end_reason="caller_ended"), seconds=61)
    used(call_factory(started_at=NOON, end_reason="error"), seconds=59, number="+15550100", direction="inbound")
    roll_up_usage()
    day = of_the_day(workspace)
    assert (day.calls, day.seconds) == (2, 120)
    # $0.06 for each minute, and $0.014 for the one call that came over a number of the platform
    assert day.platform == 61_000 + 59_000 + 13_767
    assert day.own == 2 * (1_200 + 240)
    assert day.passed_on == 2 * (3_200 + 23_520)
    charged = sum(Charge.objects.filter(unit="usd").values_list("amount", flat=True))
    assert day.total == charged
    assert sum(use.amount for use in component_use(workspace, WINDOW)) == charged
    assert sum(OutcomeDay.objects.values_list("amount", flat=True)) == charged


def test_adding_up_twice_changes_nothing(workspace: Organization, call_factory: CallFactory) -> None:
    used(call_factory(started_at=NOON))
    roll_up_usage()
    before = everything()
    roll_up_usage()
    call_command("rebuild_usage")
    assert everything() == before
    assert before[0]


def test_what_comes_late_finds_its_day(workspace: Organization, call_factory: CallFactory) -> None:
    call = call_factory(started_at=NOON)
    events = used(call)
    roll_up_usage()
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=30), tick=False):
        usage_refund(organization=workspace, event=events[0], amount=10_000, reason="Kindness")
        used(call_factory(started_at=NOON + timedelta(hours=11)))
        roll_up_usage()
    day = of_the_day(workspace)
    assert day.calls == 2
    assert day.platform == 2 * 60_000 - 10_000


def test_only_days_with_something_new_are_added_up(workspace: Organization, call_factory: CallFactory) -> None:
    used(call_factory(started_at=NOON))
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=30), tick=False):
        roll_up_usage()
    UsageDay.objects.update(calls=77)
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(hours=1), tick=False):
        used(call_factory(started_at=NOON + timedelta(days=1)))
        roll_up_usage()
    assert dict(UsageDay.objects.values_list("day", "calls")) == {DAY: 77, DAY + timedelta(days=1): 1}


def test_a_call_belongs_to_the_utc_day_in_which_it_began(workspace: Organization, call_factory: CallFactory) -> None:
    used(call_factory(started_at=datetime(2026, 11, 3, 23, 59, 59, tzinfo=UTC)))
    used(call_factory(started_at=datetime(2026, 11, 4, 0, 0, 0, tzinfo=UTC)))
    roll_up_usage()
    days = usage_by_time(workspace, Window(DAY, DAY + timedelta(days=2)), Interval.DAY)
    assert [usage.calls for _, usage in days] == [1, 1]


def test_a_long_window_has_each_call_once(workspace: Organization, call_factory: CallFactory) -> None:
    """Whole months come from their sums, the days before and after them from theirs."""
    moments = [(2026, 9, 13), (2026, 9, 14), (2026, 9, 30), (2026, 10, 1), (2026, 10, 31), (2026, 11, 1), (2026, 11, 3)]
    version = None
    for year, month, day in moments:
        call = call_factory(version, started_at=datetime(year, month, day, 12, tzinfo=UTC), end_reason="caller_ended")
        version = call.version
        used(call)
    roll_up_usage()
    window = Window(date(2026, 9, 14), date(2026, 11, 3))
    months = usage_by_time(workspace, window, Interval.MONTH)
    assert [(part.start, usage.calls) for part, usage in months] == [
        (date(2026, 9, 14), 2),
        (date(2026, 10, 1), 2),
        (date(2026, 11, 1), 1),
    ]
    (by_agent,) = usage_by("agent_id", workspace, window).values()
    ((_, by_day),) = usage_by_time(workspace, window, None)
    days = [usage for _, usage in usage_by_time(workspace, window, Interval.DAY)]
    assert by_agent == by_day == sum(days, Usage()) == sum((usage for _, usage in months), Usage())
    assert sum(use.amount for use in component_use(workspace, window)) == by_agent.total
    (outcome,) = outcomes(workspace, window)
    assert (outcome.calls, outcome.amount) == (5, by_agent.total)


def test_a_month_is_added_up_with_its_days(workspace: Organization, call_factory: CallFactory) -> None:
    call = call_factory(started_at=NOON)
    used(call)
    roll_up_usage()
    used(call_factory(call.version, started_at=NOON + timedelta(days=9)))
    roll_up_usage()
    assert list(UsageMonth.objects.values_list("day", "calls")) == [(date(2026, 11, 1), 2)]


def test_two_workspaces_are_not_mixed(
    workspace: Organization,
    other_workspace: Organization,
    call_factory: CallFactory,
    version_factory: Any,
    agent_factory: Any,
) -> None:
    used(call_factory(started_at=NOON))
    used(call_factory(version_factory(agent_factory(organization=other_workspace)), started_at=NOON))
    roll_up_usage()
    assert of_the_day(workspace).calls == 1


def test_the_page_can_tell_until_when_was_counted(call_factory: CallFactory) -> None:
    assert counted_until() is None
    roll_up_usage()
    assert counted_until() is not None
