"""What a call is charged at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import Organization
from billing.ledger.services import ledger_lock
from billing.limits.leases import lease_close
from billing.usage.meters import AGENT_SECONDS, TELEPHONY_SECONDS
from billing.usage.models import Charge
from billing.usage.rating import seconds_begun
from billing.usage.services import Fact, usage_charge, usage_record


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCall:
    """A call that is over, as it is billed. `ended_at` of one whose process died is its last sign of life."""

    id: str
    organization: Organization
    agent_id: str
    version_id: str
    started_at: datetime
    ended_at: datetime
    on_platform_number: bool = False
    number: str = ""
    direction: str = "web"
    campaign_id: str = ""
    api_key: str = ""

    def fact(self, name: str, *, meter: str, quantity: int, **dimensions: str | bool) -> Fact:
        """Something that was used in it; `name` is unique in the call."""
        return Fact(
            key=f"{self.id}:{name}",
            meter=meter,
            quantity=quantity,
            occurred_at=self.started_at,
            call_id=self.id,
            agent_id=self.agent_id,
            version_id=self.version_id,
            campaign_id=self.campaign_id,
            number=self.number,
            direction=self.direction,
            api_key=self.api_key,
            **dimensions,  # type: ignore[arg-type]
        )


@transaction.atomic
def call_settle(*, call: FinishedCall) -> list[Charge]:
    """Charge a call for the seconds that it has begun, and give back its place and what was held for it. Done again,
    it charges nothing."""
    ledger_lock(call.organization)
    lease = lease_close(call_id=call.id, at=call.ended_at)
    seconds = seconds_begun(call.ended_at - call.started_at)
    facts = [call.fact(AGENT_SECONDS, meter=AGENT_SECONDS, quantity=seconds, capability="agent")]
    if call.on_platform_number:
        facts.append(call.fact(TELEPHONY_SECONDS, meter=TELEPHONY_SECONDS, quantity=seconds, capability="telephony"))
    terms = lease.plan_version if lease is not None else None
    events = usage_record(organization=call.organization, facts=facts, plan_version=terms)
    return usage_charge(organization=call.organization, events=events)


@transaction.atomic
def call_usage_charge(*, call: FinishedCall, facts: list[Fact]) -> list[Charge]:
    """Charge, or note, what the providers of a call did: `facts` are made by `call.fact`. Again, it charges nothing."""
    events = usage_record(organization=call.organization, facts=facts)
    return usage_charge(organization=call.organization, events=events)
