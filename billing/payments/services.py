"""What a workspace asks for: subscribing, changing, topping up. The gateway does it, and tells later what came of it.

Nothing here holds a transaction open while a gateway is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services import audit
from billing.invoices.models import BillingProfile, Invoice, InvoiceLine
from billing.invoices.services import invoice_issue
from billing.invoices.statement import Line
from billing.payments import gateway as gateways
from billing.payments.gateway import Card, Customer, Gateway, GatewayError, Item, Preview, cents
from billing.payments.models import AutoRecharge, Payment, PaymentAccount
from billing.payments.plans import FREE, is_upgrade, offer
from billing.payments.settlement import subscription_synced
from billing.plans.models import Plan, PlanVersion
from billing.plans.selectors import current_version
from billing.plans.services import prorated, remaining, subscription_change, subscription_ensure
from core.errors import ApiError, ErrorCode
from core.money import DOLLAR

LEAST, MOST = 5 * DOLLAR, 10_000 * DOLLAR
"""What one top-up may be."""
SHOWN_FOR = timedelta(hours=1)
"""So long a price that was shown is what is charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What going over to another plan means. `preview` is None where nothing is charged at once."""

    version: PlanVersion
    at_once: bool
    checkout: bool
    """It begins with a page of the gateway on which one subscribes."""
    preview: Preview | None = None

    @property
    def items(self) -> tuple[Item, ...]:
        return self.preview.items if self.preview else ()


def the_gateway() -> Gateway:
    """The payment service. Raises ApiError where the installation has none."""
    found = gateways.gateway()
    if found is None:
        message = "This installation takes no cards. Ask whoever runs it for another plan or more balance."
        raise ApiError(ErrorCode.CONFLICT, "No payments by card", message)
    return found


@contextmanager
def gateway_words() -> Iterator[None]:
    """A gateway's refusal as an error for the person."""
    try:
        yield
    except GatewayError as error:
        raise ApiError(ErrorCode.PROVIDER_FAILED, "The payment service said no", str(error)) from error


def customer_ensure(*, organization: Organization, gateway: Gateway) -> PaymentAccount:
    """The workspace at the gateway, with its present name and address."""
    known = PaymentAccount.objects.filter(organization=organization).first()
    profile = BillingProfile.objects.filter(organization=organization).first() or BillingProfile()
    owner = organization.memberships.filter(role="owner").select_related("user").order_by("created_at").first()
    customer = Customer(
        id=known.customer_id if known else "",
        organization_id=organization.pk,
        name=profile.name or organization.name,
        email=profile.email or (owner.user.email if owner else ""),
    )
    with gateway_words():
        customer_id = gateway.customer(customer)
    return (
        known
        or PaymentAccount.objects.get_or_create(organization=organization, defaults={"customer_id": customer_id})[0]
    )


# --- the plan ---------------------------------------------------------------------------------------------------------


def change_preview(*, organization: Organization, plan: Plan) -> Change:
    """What changing to `plan` means and costs. Raises ApiError where it cannot be done."""
    subscription = subscription_ensure(organization=organization)
    version = current_version(plan.pk)
    if plan.pk == subscription.plan_version.plan_id:
        raise ApiError(ErrorCode.CONFLICT, "Nothing to change", f"The plan is {plan.name} already.")
    if not plan.offered or version.metered_only:  # which only an administrator gives: `plan_assign`
        raise ApiError(ErrorCode.NOT_FOUND, "No such plan", "It is not offered here, or not any more.")
    gateway, account = the_gateway(), _subscribed(organization)
    if not is_upgrade(subscription.plan_version, version):
        return Change(version=version, at_once=account is None, checkout=account is None and bool(version.price))
    sold = offer(version)
    if account is None:
        return Change(version=version, at_once=True, checkout=True)
    if subscription.next_plan_id:
        message = f"A change to {subscription.next_plan} is set for later. Keep the present plan first, then upgrade."
        raise ApiError(ErrorCode.CONFLICT, "Another change is under way", message)
    with gateway_words():
        preview = gateway.preview(subscription_id=account.subscription_id, offer=sold)
    return Change(version=version, at_once=True, checkout=False, preview=preview)


def change_plan(*, organization: Organization, actor: User, plan: Plan, at: datetime | None, back: str) -> str:
    """Change to `plan`: dearer ones at once, as `change_preview` reckoned for `at`; cheaper ones with the next period.

    Gives the address at which the person goes on to pay, or "" when there is nothing left for them to do. Raises
    ApiError where it cannot be done, or where `at` is not of the last hour.
    """
    change = change_preview(organization=organization, plan=plan)
    at, gateway = _shown_at(at), the_gateway()
    audit(organization=organization, actor=actor, action="plan.chosen", target=plan.pk)
    if change.checkout:
        customer_id = customer_ensure(organization=organization, gateway=gateway).customer_id
        with gateway_words():
            return gateway.subscribe(
                customer_id=customer_id, organization_id=organization.pk, offer=offer(change.version), back=back
            )
    account = _subscribed(organization)
    if account is None:  # from one plan that costs nothing to another
        subscription_change(organization=organization, plan=plan, actor=actor)
        return ""
    asked_at = timezone.now()
    with gateway_words():
        if change.at_once:
            key = f"{account.subscription_id}-{change.version.pk}-{int(at.timestamp())}"
            remote = gateway.upgrade(
                subscription_id=account.subscription_id, offer=offer(change.version), at=at, key=key
            )
        else:
            then = None if plan.pk == FREE else offer(change.version)
            remote = gateway.renew_with(subscription_id=account.subscription_id, offer=then)
    subscription_synced(remote=remote, asked_at=asked_at)
    return remote.pay_url if change.at_once else ""


def _shown_at(at: datetime | None) -> datetime:
    """The moment for which a price is charged; now, where none was shown. The rest of a month costs less by the day."""
    now = timezone.now()
    at = at or now
    if not now - SHOWN_FOR <= at <= now:
        message = "It was shown more than an hour ago, and may be another one by now."
        raise ApiError(ErrorCode.CONFLICT, "Look at the price again", message)
    return at


def keep_plan(*, organization: Organization, actor: User) -> None:
    """Take back a change that was set for the end of the period."""
    account, subscription = _subscribed(organization), subscription_ensure(organization=organization)
    if subscription.next_plan_id is None:
        return
    if account is None:
        plan = subscription.plan_version.plan
        subscription_change(organization=organization, plan=plan, actor=actor, at_period_end=True)
        return
    asked_at = timezone.now()
    with gateway_words():
        kept = offer(subscription.plan_version)
        remote = the_gateway().renew_with(subscription_id=account.subscription_id, offer=kept)
    audit(organization=organization, actor=actor, action="plan.kept", target=subscription.pk)
    subscription_synced(remote=remote, asked_at=asked_at)


@transaction.atomic
def plan_assign(*, organization: Organization, actor: User, plan: Plan) -> Invoice | None:
    """An administrator gives a workspace another plan at once. Gives the invoice for what is left of the month."""
    if _subscribed(organization) is not None:
        message = "This workspace pays its plan by card. Change it there, or end that subscription first."
        raise ApiError(ErrorCode.CONFLICT, "Paid by card", message)
    before, now = subscription_ensure(organization=organization).plan_version, timezone.now()
    subscription = subscription_change(organization=organization, plan=plan, actor=actor)
    dearer = (subscription.plan_version.price or 0) - (before.price or 0)
    due = prorated(dearer, remaining(subscription, now))
    if cents(due) <= 0:
        return None
    text = f"Plan {plan.name} instead of {before.plan.name}, the rest of the month"
    return invoice_issue(
        organization=organization,
        kind=Invoice.Kind.CHANGE,
        key=f"assigned:{now.isoformat()}",
        lines=[Line(kind=InvoiceLine.Kind.FEE, text=text, amount=due)],
        at=now,
    )


def _subscribed(organization: Organization) -> PaymentAccount | None:
    """The account of a workspace whose plan is paid through the gateway."""
    return PaymentAccount.objects.filter(organization=organization).exclude(subscription_id="").first()


# --- money ------------------------------------------------------------------------------------------------------------


def top_up_start(*, organization: Organization, actor: User, amount: int, back: str) -> str:
    """The address of a page on which `amount` is paid into the prepaid balance."""
    if not LEAST <= amount <= MOST:
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Not that amount", "Between $5 and $10,000, please.")
    gateway = the_gateway()
    account = customer_ensure(organization=organization, gateway=gateway)
    with transaction.atomic():
        payment = Payment.objects.create(
            organization=organization, kind=Payment.Kind.TOP_UP, amount=amount, actor=actor
        )
        changed = {"amount": ("", amount)}
        audit(organization=organization, actor=actor, action="payment.started", target=payment.pk, changes=changed)
    with gateway_words():
        return gateway.top_up(
            customer_id=account.customer_id,
            payment_id=payment.pk,
            organization_id=organization.pk,
            amount=amount,
            back=back,
        )


def portal_open(*, organization: Organization, back: str) -> str:
    """The address of the gateway's page with cards and receipts."""
    gateway = the_gateway()
    account = customer_ensure(organization=organization, gateway=gateway)
    with gateway_words():
        return gateway.portal(customer_id=account.customer_id, back=back)


def stored_card(organization: Organization) -> Card | None:
    """The card that is charged. None also when the gateway cannot be asked."""
    gateway = gateways.gateway()
    account = PaymentAccount.objects.filter(organization=organization).first()
    if gateway is None or account is None:
        return None
    try:
        return gateway.card(account.customer_id)
    except GatewayError:
        return None


@transaction.atomic
def recharge_set(
    *, organization: Organization, actor: User, enabled: bool, threshold: int, amount: int
) -> AutoRecharge:
    """Whether `amount` is added by itself below `threshold`. Earlier failures are forgotten."""
    if not LEAST <= amount <= MOST or not 0 <= threshold <= MOST:
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Not that amount", "Between $5 and $10,000, please.")
    known, _ = AutoRecharge.objects.get_or_create(
        organization=organization, defaults={"threshold": threshold, "amount": amount}
    )
    changes = {
        name: (getattr(known, name), value)
        for name, value in (("enabled", enabled), ("threshold", threshold), ("amount", amount))
    }
    known.enabled, known.threshold, known.amount = enabled, threshold, amount
    known.failures, known.tried_at = 0, None
    known.save()
    audit(organization=organization, actor=actor, action="recharge.set", changes=changes)
    return known
