"""What is written to the people of a workspace about its payments. Sent once the transaction has held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from accounts.models import Organization, Role
from billing.invoices.models import BillingProfile
from billing.payments.models import Payment, PaymentAccount
from core.money import format_micro


def payment_failed(organization: Organization, account: PaymentAccount) -> None:
    _send(
        organization,
        "A payment failed",
        "payment_failed",
        {"url": account.pay_url, "days": settings.BILLING_GRACE_DAYS},
    )


def calls_stopped(organization: Organization, account: PaymentAccount) -> None:
    _send(organization, "Calls have stopped until the plan is paid", "calls_stopped", {"url": account.pay_url})


def subscription_ended(organization: Organization, *, unpaid: bool) -> None:
    _send(organization, "The plan is Free now", "subscription_ended", {"unpaid": unpaid})


def recharge_failed(payment: Payment, *, stopped: bool) -> None:
    context = {"amount": format_micro(payment.amount), "reason": payment.reason, "stopped": stopped}
    _send(payment.organization, "The balance was not recharged", "recharge_failed", context)


def recipients(organization: Organization) -> list[str]:
    """The owners, and who the billing profile names."""
    owners = organization.memberships.filter(role=Role.OWNER).values_list("user__email", flat=True)
    profile = BillingProfile.objects.filter(organization=organization).first()
    return sorted({*owners, *([profile.email] if profile and profile.email else [])})


def _send(organization: Organization, subject: str, template: str, context: Mapping[str, Any]) -> None:
    text = render_to_string(f"billing/mail/{template}.txt", {"organization": organization, **context})
    to = recipients(organization)
    transaction.on_commit(lambda: _deliver(f"{organization.name}: {subject}", text, to), robust=True)


def _deliver(subject: str, text: str, to: list[str]) -> None:
    for address in to:  # one by one, so that nobody learns who else gets it
        send_mail(subject, text, None, [address])
