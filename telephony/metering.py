"""What calls are billed for: their time at their end, and soon after it what their providers did, read from the events.

Time is charged in the transaction that ends the call (`telephony.services`). Providers are metered by a task, which
finds what it missed: see `calls_unmetered`.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction

from django.db import transaction
from django.utils import timezone

from billing.selectors import LOCAL
from billing.usage.calls import FinishedCall, call_usage_charge
from billing.usage.services import Fact
from telephony.costs import usages
from telephony.models import Call
from voice import events

# The last events of a call have so long to be stored before it is metered without them.
METERED_AFTER = timedelta(seconds=30)
METERED_WITHIN = timedelta(days=7)
METERED_AT_ONCE = 500


def finished(call: Call) -> FinishedCall:
    """A call that is over, as it is billed."""
    return FinishedCall(
        id=call.pk,
        organization=call.organization,
        agent_id=call.agent_id,
        version_id=call.version_id,
        started_at=call.started_at,
        ended_at=call.ended_at or call.started_at,
        on_platform_number=call.line == Call.Line.PLATFORM,
        number=call.number,
        direction=call.direction,
    )


@transaction.atomic
def call_meter(*, call_id: str) -> bool:
    """Write down what the providers of a call did. False, and no change, when that was done or the call is not over."""
    calls = Call.objects.select_for_update(of=("self",)).select_related("organization")
    call = calls.filter(pk=call_id, state=Call.State.ENDED, metered_at=None).first()
    if call is None:
        return False
    billed = finished(call)
    call_usage_charge(call=billed, facts=_facts(call, billed))
    call.metered_at = timezone.now()
    call.save(update_fields=["metered_at"])
    return True


def calls_unmetered() -> list[str]:
    """The calls of the last days that should have been metered by now."""
    now = timezone.now()
    found = Call.objects.filter(state=Call.State.ENDED, metered_at=None, ended_at__lt=now - METERED_AFTER)
    return list(found.filter(ended_at__gt=now - METERED_WITHIN).values_list("pk", flat=True)[:METERED_AT_ONCE])


def _facts(call: Call, billed: FinishedCall) -> list[Fact]:
    """One for each provider, model and unit: what is of one kind is added up before anything is rounded."""
    happened = [events.decode(row.encoded) for row in call.events.all()]
    sums: dict[tuple[str, str, str, str, str], Fraction] = defaultdict(Fraction)
    for usage in usages(happened, call.services):
        sums[usage.component, usage.provider, usage.vendor, usage.model, usage.unit] += usage.quantity
    facts = []
    for (component, provider, vendor, model, unit), quantity in sums.items():
        meter, scale = ("stt_ms", 1000) if unit == "stt_second" else (unit, 1)
        fact = billed.fact(
            f"{component}:{provider}:{model}:{meter}",
            meter=meter,
            quantity=int(quantity * scale),
            capability=component,
            vendor=vendor,
            model=model,
            own_key=vendor != LOCAL,
        )
        facts.append(fact)
    return facts
