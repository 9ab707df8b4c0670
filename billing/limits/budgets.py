"""Budgets, and who is told when they are nearly spent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services import audit
from billing.limits.models import Budget, BudgetAlert
from billing.limits.room import spent, window_start
from core import webhooks
from core.errors import ApiError, ErrorCode
from core.money import format_micro

SHOWN = ("name", "scope", "target", "window", "limit", "hard_stop", "thresholds", "emails", "webhook_url")
"""What an administrator sets."""

RETRIED_FOR = timedelta(minutes=30)
"""Longer than the worker goes on trying: see `billing.tasks.RETRIED`."""
TOLD_WITHIN = timedelta(days=1)
"""Later it is no news."""


@transaction.atomic
def budget_save(*, organization: Organization, actor: User, values: Mapping[str, Any], budget: Budget | None) -> Budget:
    """Make a budget, or change one; `values` are the fields of SHOWN. Who has an address for alerts gets a secret.

    Raises ApiError (conflict) when another one has its name.
    """
    taken = Budget.objects.filter(organization=organization, name=values["name"])
    if taken.exclude(pk=budget.pk if budget else "").exists():
        raise ApiError(ErrorCode.CONFLICT, "The name is taken", "Another budget of this workspace is called so.")
    before = {name: getattr(budget, name) for name in SHOWN} if budget else {}
    saved = budget or Budget(organization=organization)
    for name in SHOWN:
        setattr(saved, name, values[name])
    if saved.webhook_url and not saved.webhook_secret:
        saved.webhook_secret = webhooks.new_secret()
    saved.save()
    changes = {name: (before.get(name, ""), values[name]) for name in SHOWN if before.get(name) != values[name]}
    action = "budget.changed" if budget else "budget.created"
    audit(organization=organization, actor=actor, action=action, target=saved.pk, changes=changes)
    return saved


@transaction.atomic
def budget_delete(*, budget: Budget, actor: User) -> None:
    gone = {"name": (budget.name, "")}
    audit(organization=budget.organization, actor=actor, action="budget.deleted", target=budget.pk, changes=gone)
    budget.delete()


def budgets_check(*, organization_id: str) -> list[BudgetAlert]:
    """Note every threshold that is passed, once in its window; those that are new."""
    now = timezone.now()
    fresh = []
    for budget in Budget.objects.filter(organization=organization_id).exclude(scope=Budget.Scope.CALL):
        amount = spent(budget, now)
        for threshold in budget.thresholds:
            if 100 * amount < threshold * budget.limit:
                continue
            alert, created = BudgetAlert.objects.get_or_create(
                budget=budget, window_start=window_start(budget, now), threshold=threshold, defaults={"spent": amount}
            )
            if created:
                fresh.append(alert)
    return fresh


def alert_mail(*, alert_id: int) -> None:
    """Tell those whom a budget names by mail, once. Raises what the mail server makes of it, to be tried again."""
    alert = _alert(alert_id)
    if alert.budget.emails and alert.mailed_at is None:
        send_mail(_subject(alert), _text(alert), None, list(alert.budget.emails))
        BudgetAlert.objects.filter(pk=alert.pk).update(mailed_at=timezone.now())


def alert_call(*, alert_id: int) -> None:
    """Tell the web hook that a budget names, until it has taken it. Raises httpx.HTTPError, to be tried again."""
    alert = _alert(alert_id)
    budget = alert.budget
    if budget.webhook_url and alert.called_at is None:
        webhooks.deliver(
            url=budget.webhook_url,
            secret=budget.webhook_secret,
            message_id=f"budget_alert_{alert.pk}",
            data=_message(alert),
        )
        BudgetAlert.objects.filter(pk=alert.pk).update(called_at=timezone.now())


def alerts_forgotten() -> list[int]:
    """The alerts of the last day of which somebody was not told, and that nobody tries to tell any more: the queue
    could not be reached, or all tries have failed. Each is given once in RETRIED_FOR."""
    now = timezone.now()
    unmailed = Q(mailed_at=None) & ~Q(budget__emails=[])
    uncalled = Q(called_at=None) & ~Q(budget__webhook_url="")
    given_up = BudgetAlert.objects.filter(queued_at__lt=now - RETRIED_FOR)
    found = given_up.filter(unmailed | uncalled, created_at__gt=now - TOLD_WITHIN)
    # One guarded UPDATE decides who tells, of several that look at once.
    return [pk for pk in found.values_list("pk", flat=True) if given_up.filter(pk=pk).update(queued_at=now)]


def _alert(alert_id: int) -> BudgetAlert:
    return BudgetAlert.objects.select_related("budget__organization").get(pk=alert_id)


def _subject(alert: BudgetAlert) -> str:
    return f"{alert.threshold} % of the budget {alert.budget.name} is used"


def _text(alert: BudgetAlert) -> str:
    budget = alert.budget
    then = "Calls are refused, and live ones end, when it is used up." if budget.hard_stop else "Calls go on."
    used, limit = format_micro(alert.spent), format_micro(budget.limit)
    return f"The workspace {budget.organization} has used {used} of {limit} of its budget {budget.name}.\n\n{then}\n"


def _message(alert: BudgetAlert) -> dict[str, Any]:
    budget = alert.budget
    return {
        "type": "budget.threshold",
        "timestamp": alert.created_at.isoformat(),
        "data": {
            "budget_id": budget.pk,
            "name": budget.name,
            "threshold": alert.threshold,
            "spent_micro": alert.spent,
            "limit_micro": budget.limit,
            "window": budget.window,
            "window_start": alert.window_start.isoformat(),
            "hard_stop": budget.hard_stop,
        },
    }
