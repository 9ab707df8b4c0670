"""Adding calls up by how they ended, for the same days as `billing.reports.rollup` and in the same way."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Sum

from billing.reports.rollup import Day, bounds, month_rebuild
from billing.usage.meters import AGENT_SECONDS
from billing.usage.models import Charge, Unit, UsageEvent
from core.locks import transaction_lock
from telephony.models import Call
from telephony.reports.models import OutcomeDay, OutcomeMonth


@transaction.atomic
def outcomes_rebuild(which: Day) -> None:
    """Add one day of a workspace up, in place of what its sums were. Calls without a fact are left out."""
    organization_id, day = which
    transaction_lock(f"telephony.roll_up:{organization_id}")
    start, end = bounds(day)
    within: dict[str, Any] = {"occurred_at__gte": start, "occurred_at__lt": end}
    facts = UsageEvent.objects.filter(organization_id=organization_id, meter=AGENT_SECONDS, **within)
    seconds = dict(facts.order_by().values_list("call_id").annotate(Sum("quantity")))
    charges = Charge.objects.filter(
        event__organization_id=organization_id,
        unit=Unit.USD,
        **{f"event__{name}": moment for name, moment in within.items()},
    )
    amounts = dict(charges.order_by().values_list("event__call_id").annotate(Sum("amount")))
    ended = Call.objects.filter(
        organization_id=organization_id, state=Call.State.ENDED, started_at__gte=start, started_at__lt=end
    )
    rows: dict[tuple[str, str], OutcomeDay] = {}
    for call_id, *key in ended.order_by().values_list("pk", "agent_id", "end_reason"):
        if call_id not in seconds:
            continue
        agent_id, end_reason = key
        row = rows.setdefault(
            (agent_id, end_reason),
            OutcomeDay(organization_id=organization_id, day=day, agent_id=agent_id, end_reason=end_reason),
        )
        row.calls += 1
        row.seconds += seconds[call_id]
        row.amount += amounts.get(call_id, 0)
    OutcomeDay.objects.filter(organization_id=organization_id, day=day).delete()
    OutcomeDay.objects.bulk_create(rows.values(), batch_size=500)
    month_rebuild(which, OutcomeDay, OutcomeMonth)
