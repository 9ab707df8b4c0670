"""What the gateway has told, applied to plans, ledger and invoices.

Messages come twice, late and in any order. So a message is only a hint: the gateway is asked for the present state, and
that is applied here, in one transaction. Of two answers the one to the later question counts.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.services import invoice_issue, invoice_pay, invoice_void
from billing.invoices.statement import Line
from billing.ledger.services import ledger_lock, prepaid_add, prepaid_take_back
from billing.payments import mails
from billing.payments.gateway import Attempt, Occasion, Outcome, RemoteInvoice, RemoteStatus, RemoteSubscription
from billing.payments.models import AutoRecharge, Payment, PaymentAccount
from billing.payments.plans import FREE, is_upgrade
from billing.plans.models import Plan, PlanVersion, Subscription
from billing.plans.selectors import current_version
from billing.plans.services import (
    month_after,
    period_roll,
    subscription_begin,
    subscription_change,
    subscription_ensure,
    subscription_status,
)

RECHARGE_TRIES = 3
"""So many failures in a row switch the automatic recharge off."""

log = structlog.get_logger(__name__)


# --- subscriptions ----------------------------------------------------------------------------------------------------


@transaction.atomic
def subscription_synced(*, remote: RemoteSubscription, asked_at: datetime, ended: str = "") -> str:
    """Make the workspace's plan what the gateway says, and give "".

    Where the workspace has another subscription than `remote`, and than the one that has just `ended`, its id is given
    and nothing changes: end that one first, and ask anew.
    """
    account = PaymentAccount.objects.select_related("organization").filter(customer_id=remote.customer_id).first()
    if account is None:
        log.warning("A payment service's customer is not known here", customer=remote.customer_id)
        return ""
    ledger_lock(account.organization)
    account.refresh_from_db()
    if account.asked_at and asked_at < account.asked_at:
        return ""
    if account.subscription_id != remote.id:
        if remote.status in (RemoteStatus.ENDED, RemoteStatus.PENDING):
            return ""  # an old one, or one that nobody has paid for
        if account.subscription_id not in ("", ended):
            return account.subscription_id
        account.subscription_id = remote.id
        _begin(account, remote)
    account.asked_at, account.offer_id, account.pay_url = asked_at, remote.offer_id, remote.pay_url
    if remote.status is RemoteStatus.ENDED:
        _end(account, remote)
    else:
        _follow(account, remote)
    account.save()
    return ""


def _begin(account: PaymentAccount, remote: RemoteSubscription) -> None:
    version = PlanVersion.objects.get(pk=remote.offer_id)
    organization = account.organization
    subscription_begin(organization=organization, version=version, start=remote.period_start, end=remote.period_end)
    account.past_due_since = None


def _follow(account: PaymentAccount, remote: RemoteSubscription) -> None:
    organization = account.organization
    subscription = subscription_ensure(organization=organization)
    if remote.period_start > subscription.period_start:
        period_roll(subscription_id=subscription.pk, at=remote.period_start)
        subscription = subscription_ensure(organization=organization)
    # Months are of different lengths; and ours may have begun a moment before the gateway's.
    if remote.period_start >= subscription.period_start and remote.period_end != subscription.period_end:
        subscription.period_end = remote.period_end
        subscription.save(update_fields=["period_end"])
    _follow_plan(subscription, remote)
    late = remote.status is RemoteStatus.PAST_DUE
    if late and account.past_due_since is None:
        account.past_due_since = timezone.now()
        subscription_status(organization=organization, status=Subscription.Status.PAST_DUE)
        mails.payment_failed(organization, account)
    elif not late and account.past_due_since is not None:
        account.past_due_since = None
        subscription_status(organization=organization, status=Subscription.Status.ACTIVE)


def _follow_plan(subscription: Subscription, remote: RemoteSubscription) -> None:
    """A dearer plan holds at once. A cheaper one, or the end, is for the next period: this one is paid for."""
    if remote.ends_with_period and remote.period_start < subscription.period_start:
        return  # it is over here already, a moment before it is at the gateway
    renewed = PlanVersion.objects.select_related("plan").get(pk=remote.offer_id)
    if is_upgrade(subscription.plan_version, renewed) and renewed.plan_id != subscription.plan_version.plan_id:
        subscription_change(organization=subscription.organization, plan=renewed.plan, actor=None)
        subscription.refresh_from_db()
    later = Plan.objects.get(pk=FREE) if remote.ends_with_period else renewed.plan
    later_id = None if later.pk == subscription.plan_version.plan_id else later.pk
    if subscription.next_plan_id != later_id:
        subscription_change(organization=subscription.organization, plan=later, actor=None, at_period_end=True)


def _end(account: PaymentAccount, remote: RemoteSubscription) -> None:
    """The workspace goes on with what costs nothing. An unpaid month is not asked for; what was used beyond is."""
    organization = account.organization
    unpaid = account.past_due_since is not None
    account.subscription_id = account.offer_id = account.pay_url = ""
    account.past_due_since = None
    subscription = subscription_ensure(organization=organization)
    if remote.period_end <= timezone.now():
        period_roll(subscription_id=subscription.pk, at=remote.period_end)
    asked_for = Invoice.objects.filter(organization=organization, status=Invoice.Status.OPEN).exclude(reference="")
    for invoice in asked_for:
        invoice_void(invoice=invoice, actor=None)
    subscription_status(organization=organization, status=Subscription.Status.ACTIVE)
    if subscription_ensure(organization=organization).plan_version.plan_id != FREE:
        now = timezone.now()
        subscription_begin(organization=organization, version=current_version(FREE), start=now, end=month_after(now))
    mails.subscription_ended(organization, unpaid=unpaid)


# --- invoices ---------------------------------------------------------------------------------------------------------


def renewal_invoice(remote: RemoteInvoice) -> Invoice | None:
    """Ours for the month that the gateway's renewal begins, whose usage beyond the budget it should ask for too."""
    organization = _organization_of(remote)
    if organization is None:
        return None
    subscription = subscription_ensure(organization=organization)
    invoices = Invoice.objects.filter(organization=organization, kind=Invoice.Kind.PERIOD)
    return (
        invoices.filter(reference=remote.id).first()
        or invoices.filter(reference="", status=Invoice.Status.OPEN, period_end=subscription.period_start).first()
    )


def beyond_budget(invoice: Invoice) -> int:
    """The part of a monthly invoice that is not the plan's price, in micro-dollars, whole cents."""
    fees = [line.amount for line in invoice.lines.all() if line.kind == InvoiceLine.Kind.FEE]
    return invoice.total - sum(fees)


@transaction.atomic
def invoice_reference(*, invoice: Invoice, reference: str) -> None:
    """Tie it to the gateway's, or to an item of the gateway's next one."""
    Invoice.objects.filter(pk=invoice.pk).update(reference=reference)


@transaction.atomic
def invoice_settled(*, remote: RemoteInvoice) -> None:
    """The gateway's invoice was paid: so is ours, which for a beginning or a change is made only now.

    So are earlier ones whose usage was added to it, because it came too late for theirs.
    """
    organization = _organization_of(remote)
    if organization is None or not remote.paid:
        return
    added = [item.id for item in remote.items if item.id]
    for earlier in Invoice.objects.filter(organization=organization, reference__in=added):
        invoice_pay(invoice=earlier)
    if remote.occasion is Occasion.RENEWAL:
        invoice = renewal_invoice(remote)
    elif remote.occasion in (Occasion.START, Occasion.CHANGE):
        kind = Invoice.Kind.START if remote.occasion is Occasion.START else Invoice.Kind.CHANGE
        lines = [Line(kind=InvoiceLine.Kind.FEE, text=item.text, amount=item.amount) for item in remote.items]
        # A change that gives more back than it costs is credited by the gateway, and nothing was paid.
        invoice = _issue(organization, kind, remote.id, lines) if remote.total > 0 else None
    else:
        invoice = None
    if invoice is not None:
        invoice_pay(invoice=invoice, reference=remote.id)


def _issue(organization: Organization, kind: Invoice.Kind, reference: str, lines: list[Line]) -> Invoice:
    key, now = f"{kind.value}:{reference}", timezone.now()
    return invoice_issue(organization=organization, kind=kind, key=key, lines=lines, at=now, reference=reference)


def _organization_of(remote: RemoteInvoice) -> Organization | None:
    accounts = PaymentAccount.objects.select_related("organization")
    account = accounts.filter(subscription_id=remote.subscription_id).exclude(subscription_id="").first()
    return account.organization if account else None


# --- payments ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def payment_settled(*, payment_id: str, attempt: Attempt) -> None:
    """How a top-up or a recharge went. The money is added once, however often this is told."""
    payment = Payment.objects.select_related("organization").filter(pk=payment_id).first()
    if payment is None:
        log.warning("A payment is not known here", payment=payment_id)
        return
    organization = payment.organization
    ledger_lock(organization)
    payment.refresh_from_db()
    if payment.status == Payment.Status.SUCCEEDED:
        return
    payment.reference = attempt.reference or payment.reference
    if attempt.outcome is Outcome.SUCCEEDED:
        _paid(payment)
    elif payment.kind == Payment.Kind.RECHARGE and payment.status == Payment.Status.STARTED:
        _recharge_failed(payment, attempt)
    # A top-up that was refused may be tried again with another card, on the page that is still open.
    payment.save()


def _paid(payment: Payment) -> None:
    organization, now = payment.organization, timezone.now()
    payment.status, payment.reason, payment.settled_at = Payment.Status.SUCCEEDED, "", now
    note = payment.get_kind_display()
    prepaid_add(organization=organization, amount=payment.amount, key=f"payment:{payment.pk}", note=note)
    line = Line(kind=InvoiceLine.Kind.TOP_UP, text="Prepaid balance", amount=payment.amount)
    invoice = _issue(organization, Invoice.Kind.TOP_UP, payment.pk, [line])
    invoice_pay(invoice=invoice, reference=payment.reference, at=now)
    if payment.kind == Payment.Kind.RECHARGE:
        AutoRecharge.objects.filter(organization=organization).update(failures=0)


def _recharge_failed(payment: Payment, attempt: Attempt) -> None:
    if attempt.outcome is Outcome.PENDING:
        return
    payment.status, payment.settled_at = Payment.Status.FAILED, timezone.now()
    payment.reason = attempt.reason[:300]
    recharge = AutoRecharge.objects.filter(organization=payment.organization).first()
    if recharge is None:
        return
    recharge.failures += 1
    recharge.enabled = recharge.enabled and recharge.failures < RECHARGE_TRIES
    recharge.save(update_fields=["failures", "enabled"])
    mails.recharge_failed(payment, stopped=not recharge.enabled)


@transaction.atomic
def payment_refunded(*, reference: str, refunded: int) -> None:
    """`refunded` (micro-dollars, in all) went back: so it leaves the balance, or is owed where it was spent."""
    payment = Payment.objects.select_related("organization").filter(reference=reference).first()
    if payment is None:
        return
    ledger_lock(payment.organization)
    payment.refresh_from_db()
    more = min(refunded, payment.amount) - payment.refunded
    if more <= 0 or payment.status != Payment.Status.SUCCEEDED:
        return
    key = f"refund:{payment.pk}:{refunded}"
    prepaid_take_back(organization=payment.organization, amount=more, key=key, note="Refund")
    payment.refunded += more
    payment.save(update_fields=["refunded"])
