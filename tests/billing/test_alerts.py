"""Who is told of a threshold when the mail server, the web hook or the queue fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.models import Organization, User
from billing.limits import budgets
from billing.limits.models import Budget
from billing.tasks import check_budgets, look_after_billing
from core import webhooks
from tests.billing.conftest import settle

pytestmark = pytest.mark.django_db


class Outage:
    """Stands for what reaches somebody: fails so many times, then counts what arrives."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures = failures
        self.arrived = 0
        self._error = error

    def __call__(self, *args: Any, **options: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise self._error
        self.arrived += 1


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a worker: what a task fails with is its own."""
    monkeypatch.setitem(check_budgets.app.conf, "task_eager_propagates", False)


@pytest.fixture
def spent(on_plan: Callable[[str], Organization], owner: User) -> Organization:
    """A workspace that has used its budget, of which mail and a web hook are to tell; nobody has looked yet."""
    unlimited = on_plan("unlimited")
    Budget.objects.create(
        organization=unlimited, name="Calls", window=Budget.Window.MONTH, limit=10_000, thresholds=[80],
        emails=["boss@example.org"], webhook_url="https://ops.example.org/hook", webhook_secret=webhooks.new_secret(),
    )  # fmt: skip
    settle(unlimited, 9)
    return unlimited


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Outage:
    outage = Outage(0, httpx.ConnectError("Nobody is there."))
    monkeypatch.setattr(webhooks, "deliver", outage)
    return outage


def look(minutes: int) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        look_after_billing()


def test_a_web_hook_that_is_down_repeats_no_mail(spent: Organization, hook: Outage) -> None:
    hook.failures = 3
    check_budgets(spent.pk)
    assert (len(mail.outbox), hook.arrived) == (1, 1)


def test_a_mail_server_that_is_down_repeats_no_web_hook(
    spent: Organization, hook: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Outage(3, ConnectionRefusedError())
    monkeypatch.setattr(budgets, "send_mail", post)
    check_budgets(spent.pk)
    assert (post.arrived, hook.arrived) == (1, 1)


def test_what_the_queue_lost_is_told_later_and_once(spent: Organization, hook: Outage) -> None:
    budgets.budgets_check(organization_id=spent.pk)
    look(10)
    assert (len(mail.outbox), hook.arrived) == (0, 0)  # it may be under way
    look(31)
    look(62)
    assert (len(mail.outbox), hook.arrived) == (1, 1)


def test_a_web_hook_that_stays_down_is_tried_again_after_half_an_hour(spent: Organization, hook: Outage) -> None:
    hook.failures = 9
    check_budgets(spent.pk)
    assert hook.arrived == 0
    look(31)
    assert (len(mail.outbox), hook.arrived) == (1, 1)


def test_after_a_day_it_is_no_news(spent: Organization, hook: Outage) -> None:
    budgets.budgets_check(organization_id=spent.pk)
    look(25 * 60)
    assert (len(mail.outbox), hook.arrived) == (0, 0)
