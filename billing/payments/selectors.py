"""What the page Billing shows."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Organization
from billing.invoices.models import BillingProfile, Invoice
from billing.invoices.selectors import Overdue, overdue
from billing.ledger.selectors import Balance, balance
from billing.payments.models import AutoRecharge, PaymentAccount
from billing.payments.plans import is_upgrade
from billing.plans.catalogue import ENTITLEMENTS
from billing.plans.models import PlanVersion, Subscription
from billing.plans.selectors import plans_offered
from billing.plans.services import subscription_ensure
from billing.usage.models import Unit

INVOICES_SHOWN = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCard:
    """A plan as it is offered. `step` is "current", "next", "up", "down", or "ask" for one priced by contract."""

    version: PlanVersion
    step: str

    @property
    def entitlements(self) -> list[str]:
        return [ENTITLEMENTS[key] for key in self.version.entitlements if key in ENTITLEMENTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    subscription: Subscription
    money: Balance
    credits: Balance
    cards: list[PlanCard]
    account: PaymentAccount | None
    invoices: list[Invoice]
    overdue: Overdue | None
    """What stops calls."""


def overview(organization: Organization) -> Overview:
    """Plan, balances and invoices of a workspace."""
    subscription = subscription_ensure(organization=organization)
    return Overview(
        subscription=subscription,
        money=balance(organization),
        credits=balance(organization, Unit.CREDIT),
        cards=[PlanCard(version=version, step=_step(subscription, version)) for version in _shown(subscription)],
        account=PaymentAccount.objects.filter(organization=organization).first(),
        invoices=list(Invoice.objects.filter(organization=organization)[:INVOICES_SHOWN]),
        overdue=None if subscription.plan_version.metered_only else overdue(organization),
    )


def profile_of(organization: Organization) -> BillingProfile:
    """As it is stored, or an empty one."""
    return BillingProfile.objects.filter(organization=organization).first() or BillingProfile()


def recharge_of(organization: Organization) -> AutoRecharge | None:
    return AutoRecharge.objects.filter(organization=organization).first()


def _shown(subscription: Subscription) -> list[PlanVersion]:
    """Those that can be chosen; the plan that only measures is shown to those who have it."""
    mine = subscription.plan_version.plan_id
    return [version for version in plans_offered() if not version.metered_only or version.plan_id == mine]


def _step(subscription: Subscription, version: PlanVersion) -> str:
    if version.plan_id == subscription.plan_version.plan_id:
        return "current"
    if version.plan_id == subscription.next_plan_id:
        return "next"
    if version.price is None:
        return "ask"
    return "up" if is_upgrade(subscription.plan_version, version) else "down"
