"""A workspace with a plan, calls of it that begin, beat and end, and the gateway to a fake Stripe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import Organization, User
from billing.limits.leases import Cover, call_admit
from billing.plans.models import Plan
from billing.plans.services import plan_version_create, subscription_change
from billing.stripe.adapter import StripeGateway
from billing.usage.calls import FinishedCall, call_settle
from billing.usage.models import Charge
from tests.billing.stripe_fake import KEY, WEBHOOK_SECRET, Stripe, running_stripe

NOW = timezone.now()


@pytest.fixture
def on_plan(workspace: Organization, settings: Any) -> Callable[[str], Organization]:
    """The workspace, on the plan of this id since now."""

    def choose(plan_id: str) -> Organization:
        settings.DEFAULT_PLAN = "unlimited"
        subscription_change(organization=workspace, plan=Plan.objects.get(pk=plan_id), actor=None)
        return workspace

    return choose


@pytest.fixture
def unfunded(on_plan: Callable[[str], Organization], owner: User) -> Organization:
    """The workspace, on a plan with a budget of nothing: it has what was prepaid."""
    plan, now = Plan.objects.get(pk="pro"), timezone.now()
    plan_version_create(plan=plan, actor=owner, effective_from=now, values={"agent_budget": 0})
    return on_plan("pro")


def admit(organization: Organization, call_id: str = "call_1", started_at: datetime = NOW, **options: Any) -> Cover:
    return call_admit(
        organization=organization, call_id=call_id, started_at=started_at, **{"agent_id": "agent_1", **options}
    )


def settle(
    organization: Organization, seconds: float, call_id: str = "call_1", started_at: datetime = NOW, **options: Any
) -> list[Charge]:
    call = FinishedCall(
        id=call_id,
        organization=organization,
        version_id="ver_1",
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=seconds),
        **{"agent_id": "agent_1", **options},
    )
    return call_settle(call=call)


@pytest.fixture
def stripe(settings: LazySettings) -> Iterator[Stripe]:
    with running_stripe() as fake:
        settings.STRIPE_SECRET_KEY = KEY
        settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
        settings.STRIPE_API_BASE = fake.url
        settings.PAYMENT_GATEWAY = "billing.stripe.adapter.StripeGateway"
        yield fake


@pytest.fixture
def gateway(stripe: Stripe) -> StripeGateway:
    return StripeGateway()
