"""A workspace that pays by Stripe, and time that passes for both at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import Organization, User
from billing.ledger.selectors import balance
from billing.payments import services, upkeep
from billing.payments.models import PaymentAccount
from billing.plans.models import Plan, Subscription
from billing.plans.services import periods_roll
from billing.usage.services import Fact, usage_charge, usage_record
from tests.billing.stripe_fake import Stripe
from tests.billing.stripe_fake.state import DAY, GOOD, Object

BACK = "https://agents.example.org/back/"
START = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


class Payer:
    """What the people of a workspace do, and what Stripe then tells."""

    def __init__(self, stripe: Stripe, clock: time_machine.Traveller, organization: Organization, actor: User) -> None:
        self.stripe = stripe
        self.organization = organization
        self.actor = actor
        self._clock = clock
        self._client = Client()

    # --- people

    def choose(self, plan: str, card: str = GOOD) -> str:
        """Change to a plan; a page of Stripe's is filled in at once. Gives where the person is sent."""
        url = services.change_plan(
            organization=self.organization, actor=self.actor, plan=Plan.objects.get(pk=plan), at=None, back=BACK
        )
        if "/pay/" in url:
            self.stripe.pay_checkout(url.rpartition("/")[2], card)
        self.hear()
        return url

    def top_up(self, amount: int, card: str = GOOD) -> str:
        url = services.top_up_start(organization=self.organization, actor=self.actor, amount=amount, back=BACK)
        session: str = url.rpartition("/")[2]
        self.stripe.pay_checkout(session, card)
        return session

    def use(self, seconds: int, key: str = "call") -> None:
        """Talk for so long, at six cents a minute."""
        now = datetime.now(UTC)
        fact = Fact(key=f"{key}-{now.timestamp()}", meter="agent_seconds", quantity=seconds, occurred_at=now)
        usage_charge(organization=self.organization, events=usage_record(organization=self.organization, facts=[fact]))

    def use_card(self, card: str) -> None:
        self.stripe.use_card(self.account.customer_id, card)

    # --- Stripe

    def hear(self, events: Sequence[Object] | None = None) -> None:
        """Deliver what Stripe has to tell, in order unless told otherwise."""
        for event in self.stripe.new_events() if events is None else events:
            assert self.deliver(event) == 200

    def deliver(self, event: Object, **signing: Any) -> int:
        body, signature = self.stripe.signed(event, **signing)
        headers = {"Stripe-Signature": signature}
        return self._client.post(reverse("stripe_webhook"), body, "application/json", headers=headers).status_code

    def wait(self, seconds: int, *, heard: bool = True) -> None:
        """Let time pass at Stripe's and here, with our periodic work; `heard`: messages arrive at once."""
        end = self.stripe.state.now + seconds
        while self.stripe.state.now < end:
            self.stripe.advance_a_step(min(end, self.stripe.state.now + DAY))
            self._clock.move_to(datetime.fromtimestamp(self.stripe.state.now, UTC))
            if heard:
                self.hear()
            periods_roll()
            upkeep.grace_end()
            upkeep.offers_align()

    # --- what is so

    @property
    def account(self) -> PaymentAccount:
        return PaymentAccount.objects.get(organization=self.organization)

    @property
    def subscription(self) -> Subscription:
        return Subscription.objects.select_related("plan_version", "next_plan").get(organization=self.organization)

    @property
    def plan(self) -> str:
        return self.subscription.plan_version.plan_id

    @property
    def next_plan(self) -> str:
        return self.subscription.next_plan_id or ""

    @property
    def left(self) -> int:
        """Micro-dollars."""
        return balance(self.organization).total

    @property
    def paid(self) -> list[int]:
        """What Stripe took with its invoices, in cents."""
        return [each["amount_paid"] for each in self.stripe.state.all("invoice") if each["status"] == "paid"]

    @property
    def subscriptions(self) -> list[str]:
        """How those at Stripe are doing, from the first on."""
        return [each["status"] for each in self.stripe.state.all("subscription")]

    @property
    def invoices(self) -> list[tuple[str, str, int]]:
        """Kind, status and total of ours."""
        rows = self.organization.invoices.order_by("number")
        return [(row.kind, row.status, row.total) for row in rows]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START) as traveller:
        yield traveller


@pytest.fixture
def payer(
    clock: time_machine.Traveller, stripe: Stripe, settings: LazySettings, workspace: Organization, owner: User
) -> Payer:
    """On Free, with no card."""
    settings.DEFAULT_PLAN = "free"
    return Payer(stripe, clock, workspace, owner)
