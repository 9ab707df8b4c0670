"""Which plan a workspace has, and what that allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from accounts.models import Organization
from billing.payments.models import PaymentAccount
from billing.plans.models import Plan, PlanVersion, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlements:
    """What a workspace may do. None is "without limit"; money is micro-dollars."""

    plan_version: PlanVersion
    status: Subscription.Status
    overage: bool
    """Usage may go on when the budget is spent."""
    grace_seconds: int

    @property
    def plan_name(self) -> str:
        return self.plan_version.plan.name

    @property
    def metered_only(self) -> bool:
        """Nobody pays."""
        return self.plan_version.metered_only

    @property
    def without_limit(self) -> bool:
        """No call is blocked for want of money."""
        return self.plan_version.without_limit

    @property
    def concurrent_calls(self) -> int | None:
        return self.plan_version.concurrent_calls

    @property
    def agent_slots(self) -> int | None:
        return self.plan_version.agent_slots

    @property
    def number_slots(self) -> int | None:
        return self.plan_version.number_slots

    @property
    def members(self) -> int | None:
        return self.plan_version.members

    @property
    def outbound_per_second(self) -> int | None:
        return self.plan_version.outbound_per_second

    def has(self, entitlement: str) -> bool:
        """Does the plan come with this key of `billing.plans.catalogue.ENTITLEMENTS`?"""
        return entitlement in self.plan_version.entitlements


def current_version(plan_id: str, at: datetime | None = None) -> PlanVersion:
    """What `plan_id` costs and allows at a moment; now, where none is given. Raises PlanVersion.DoesNotExist."""
    versions = PlanVersion.objects.select_related("plan").filter(plan_id=plan_id)
    found: PlanVersion = versions.filter(effective_from__lte=at or timezone.now()).latest("effective_from", "number")
    return found


def subscription_of(organization: Organization) -> Subscription | None:
    """The workspace's subscription with its plan; None while nothing of it has been metered yet."""
    found = Subscription.objects.select_related("plan_version__plan", "next_plan")
    return found.filter(organization=organization).first()


def entitlements(organization: Organization) -> Entitlements:
    """What a workspace may do right now. One without a subscription has the default plan."""
    subscription = subscription_of(organization)
    if subscription is None:
        subscription = Subscription(plan_version=current_version(settings.DEFAULT_PLAN))
    return Entitlements(
        plan_version=subscription.plan_version,
        status=Subscription.Status(subscription.status),
        overage=subscription.overage and overage_allowed(organization),
        grace_seconds=subscription.grace_seconds,
    )


def overage_allowed(organization: Organization) -> bool:
    """May usage go on when the budget is spent? Where cards are taken, only with a plan paid by one: it pays."""
    if not settings.PAYMENT_GATEWAY:
        return True
    return PaymentAccount.objects.filter(organization=organization).exclude(subscription_id="").exists()


def plans_offered(at: datetime | None = None) -> list[PlanVersion]:
    """The newest version in force of every plan that can be chosen, in order."""
    return [current_version(plan.pk, at) for plan in Plan.objects.filter(offered=True)]
