"""What was charged by day, for budgets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date

from django.db import transaction
from django.db.models import F

from accounts.models import Organization
from billing.limits.models import Budget, SpendDay
from billing.usage.models import Charge, Unit

Scope = Budget.Scope


def spend_add(organization: Organization, charges: Iterable[Charge]) -> None:
    """Count charges of money, under the ledger's lock. What the workspace pays its vendors itself does not count."""
    sums: dict[tuple[str, str, date], int] = defaultdict(int)
    for charge in charges:
        event = charge.event
        if charge.unit != Unit.USD or event.own_key or not charge.amount:
            continue
        day = event.occurred_at.astimezone(UTC).date()
        sums[Scope.WORKSPACE, "", day] += charge.amount
        if event.agent_id:
            sums[Scope.AGENT, event.agent_id, day] += charge.amount
        if event.campaign_id:
            sums[Scope.CAMPAIGN, event.campaign_id, day] += charge.amount
    if sums and Budget.objects.filter(organization=organization).exists():
        # Robust: a queue that cannot be reached must not undo a charge.
        transaction.on_commit(lambda: _check_soon(organization.pk), robust=True)
    for (scope, target, day), amount in sorted(sums.items()):
        row, _ = SpendDay.objects.get_or_create(organization=organization, scope=scope, target=target, day=day)
        SpendDay.objects.filter(pk=row.pk).update(amount=F("amount") + amount)


def _check_soon(organization_id: str) -> None:
    from billing import tasks  # which imports this module

    tasks.check_budgets.delay(organization_id)
