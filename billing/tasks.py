"""What billing does beside the web."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import httpx
import structlog
from celery import shared_task

from billing.limits import budgets
from billing.plans import services as plans
from billing.reconcile import reconcile
from billing.usage import services as usage

RETRIED: dict[str, Any] = {
    "autoretry_for": (OSError, httpx.HTTPError),
    "retry_backoff": 5,
    "retry_backoff_max": 3600,
    "max_retries": 8,
}
"""For some twenty minutes."""

log = structlog.get_logger(__name__)


@shared_task
def check_budgets(organization_id: str) -> None:
    """See whether a charge has passed a threshold, and tell."""
    for alert in budgets.budgets_check(organization_id=organization_id):
        _tell(alert.pk)


def _tell(alert_id: int) -> None:
    """By mail and by web hook: what one of them makes of it does not hold up, or repeat, the other."""
    mail_alert.delay(alert_id)
    call_alert.delay(alert_id)


@shared_task(**RETRIED)
def mail_alert(alert_id: int) -> None:
    budgets.alert_mail(alert_id=alert_id)


@shared_task(**RETRIED)
def call_alert(alert_id: int) -> None:
    budgets.alert_call(alert_id=alert_id)


@shared_task
def look_after_billing() -> None:
    """Begin new months, charge what was recorded and then forgotten, and tell of alerts that were."""
    plans.periods_roll()
    overdue = sorted(usage.usage_overdue(), key=lambda event: event.organization_id)
    for _, group in groupby(overdue, key=lambda event: event.organization_id):
        events = list(group)
        usage.usage_charge(organization=events[0].organization, events=events)
    for alert_id in budgets.alerts_forgotten():
        _tell(alert_id)


@shared_task
def reconcile_billing() -> None:
    """Prove the ledger; every difference goes to the log, as an error."""
    differences = list(reconcile())
    for difference in differences:
        log.error("The ledger differs", difference=str(difference))
    log.info("The ledger was proved", differences=len(differences))
