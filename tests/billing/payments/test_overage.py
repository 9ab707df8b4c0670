"""Usage beyond the budget: who may have it, and what becomes of it when nobody pays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import LazySettings

from accounts.models import Organization
from billing.invoices.models import Invoice
from billing.invoices.services import invoice_pay
from billing.ledger.selectors import balance
from billing.limits.leases import Cover
from billing.plans.services import periods_roll, subscription_settings
from core.errors import ApiError, ErrorCode
from core.money import DOLLAR
from tests.billing.conftest import admit
from tests.billing.payments.conftest import Payer
from tests.billing.stripe_fake.state import DAY, DECLINED

pytestmark = pytest.mark.django_db

HUNDRED_MINUTES = 6000  # six dollars


def call(organization: Organization) -> Cover:
    now = datetime.now(UTC)
    return admit(organization, f"call_{now.timestamp()}", now)


def refusal(organization: Organization) -> ApiError:
    with pytest.raises(ApiError) as refused:
        call(organization)
    assert refused.value.code == ErrorCode.QUOTA_EXCEEDED
    return refused.value


def go_on(payer: Payer) -> None:
    subscription_settings(organization=payer.organization, actor=payer.actor, overage=True, grace_seconds=0)


def overspend(payer: Payer) -> None:
    go_on(payer)
    payer.use(HUNDRED_MINUTES)


def test_without_a_payment_service_an_overdue_invoice_stops_calls_until_it_is_noted_as_paid(
    on_plan: Callable[[str], Organization], payer: Payer, clock: time_machine.Traveller, settings: LazySettings
) -> None:
    settings.PAYMENT_GATEWAY = ""
    pro = on_plan("pro")
    overspend(payer)
    assert call(pro).seconds is None
    clock.shift(timedelta(days=40))
    periods_roll()
    assert call(pro).seconds is None  # it is not due yet
    clock.shift(timedelta(days=10))
    told = refusal(pro).message
    assert told.startswith("Invoice CW-000001 was due on ")
    assert "$6.00 is owed. Pay it, and have whoever runs this installation note that" in told
    invoice_pay(invoice=Invoice.objects.get())
    assert call(pro).seconds is None


def test_where_cards_are_taken_nobody_goes_on_without_one(payer: Payer) -> None:
    overspend(payer)
    assert "is used up" in refusal(payer.organization).message
    payer.choose("pro")
    payer.use(HUNDRED_MINUTES)
    assert call(payer.organization).seconds is None


def test_a_top_up_pays_an_overdue_invoice_for_usage(payer: Payer) -> None:
    payer.use(HUNDRED_MINUTES)
    payer.wait(50 * DAY)
    assert "$5.00 is owed. Top up by at least that much under Billing" in refusal(payer.organization).message
    payer.top_up(5 * DOLLAR)
    payer.hear()
    assert balance(payer.organization).owed == 0
    assert call(payer.organization).seconds is None


def test_an_invoice_that_stripe_asks_for_stops_calls_only_when_its_grace_is_over(
    payer: Payer, settings: LazySettings
) -> None:
    settings.INVOICE_DUE_DAYS, settings.BILLING_GRACE_DAYS = 1, 2
    payer.choose("pro")
    payer.use_card(DECLINED)
    payer.wait(31 * DAY + 12 * 3600)
    assert call(payer.organization).seconds is None
    payer.wait(DAY)
    assert "An invoice is unpaid" in refusal(payer.organization).message


def test_where_usage_is_only_measured_an_old_invoice_stops_nothing(
    on_plan: Callable[[str], Organization], payer: Payer
) -> None:
    payer.use(HUNDRED_MINUTES)
    payer.wait(50 * DAY)
    assert call(on_plan("unlimited")).seconds is None


def test_usage_without_limit_is_on_the_month_s_invoice(on_plan: Callable[[str], Organization], payer: Payer) -> None:
    on_plan("enterprise")
    payer.use(HUNDRED_MINUTES)
    payer.wait(32 * DAY)
    assert payer.invoices == [("period", "open", 6 * DOLLAR)]
    assert call(payer.organization).seconds is None
    payer.wait(14 * DAY)
    assert refusal(payer.organization).title == "An invoice is overdue"
