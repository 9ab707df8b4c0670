"""Invoices: their numbers, their cents, and what the ledger says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.models import Organization, User
from billing.invoices import words
from billing.invoices.models import Invoice, InvoiceLine
from billing.invoices.pdf import invoice_pdf
from billing.invoices.services import invoice_issue, invoice_pay, invoice_void, period_close, profile_set
from billing.invoices.statement import Line
from billing.ledger.selectors import balance
from billing.ledger.services import prepaid_add
from billing.payments.gateway import CENT, cents
from billing.plans.selectors import current_version
from billing.usage.models import Charge
from billing.usage.services import Fact, usage_charge, usage_record
from core.money import DOLLAR

pytestmark = pytest.mark.django_db

NOW = timezone.now()
MONTH = (NOW - timedelta(days=30), NOW)


def line(amount: int, text: str = "Agent time") -> Line:
    return Line(kind=InvoiceLine.Kind.USAGE, text=text, amount=amount, meter="agent_seconds", quantity=61)


def issue(organization: Organization, key: str, *amounts: int) -> Invoice:
    lines = [line(amount) for amount in amounts]
    return invoice_issue(organization=organization, kind=Invoice.Kind.PERIOD, key=key, lines=lines, at=NOW)


def use(organization: Organization, key: str, **meters: int) -> None:
    facts = [
        Fact(key=f"{key}:{meter}", meter=meter, quantity=quantity, occurred_at=NOW)
        for meter, quantity in meters.items()
    ]
    usage_charge(organization=organization, events=usage_record(organization=organization, facts=facts))


def close(organization: Organization, plan: str = "pro", days: int = 0) -> Invoice | None:
    period = (MONTH[0] + timedelta(days=days), MONTH[1] + timedelta(days=days))
    return period_close(organization=organization, period=period, version=current_version(plan), at=NOW)


def test_numbers_count_up_over_all_workspaces(workspace: Organization, other_workspace: Organization) -> None:
    made = [issue(workspace, "a", CENT), issue(other_workspace, "a", CENT), issue(workspace, "b", CENT)]
    assert [invoice.label for invoice in made] == ["CW-000001", "CW-000002", "CW-000003"]


def test_the_same_thing_is_invoiced_once(workspace: Organization) -> None:
    assert issue(workspace, "a", CENT) == issue(workspace, "a", 5 * CENT)


def test_what_fails_leaves_no_gap(workspace: Organization) -> None:
    with pytest.raises(ValueError, match="month"):
        _issue_and_fail(workspace)
    assert issue(workspace, "b", CENT).number == 1


def _issue_and_fail(workspace: Organization) -> None:
    from django.db import transaction

    with transaction.atomic():
        issue(workspace, "a", CENT)
        raise ValueError("Something else of that month went wrong.")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_have_numbers_without_gaps(workspace: Organization, other_workspace: Organization) -> None:
    def work(number: int) -> int:
        try:
            return issue((workspace, other_workspace)[number % 2], f"key {number}", CENT).number
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(work, range(24)))
    assert sorted(numbers) == list(range(1, 25))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_a_total_is_rounded_once(amounts: list[int]) -> None:
    exact = sum(amounts)
    total = cents(exact) * CENT
    assert total % CENT == 0
    assert -CENT // 2 < total - exact <= CENT // 2


def test_the_lines_add_up_to_the_total(workspace: Organization) -> None:
    invoice = issue(workspace, "a", 75_233, 1_233)
    assert [entry.amount for entry in invoice.lines.all()] == [75_233, 1_233, 3_534]
    assert sum(entry.amount for entry in invoice.lines.all()) == invoice.total == 8 * CENT
    assert words.quantity(invoice.lines.all()[0]) == "1 min 1 s"
    assert words.line_amount(invoice.lines.all()[0]) == "$0.075233"


def test_a_month_is_told_by_meter_as_the_ledger_has_it(workspace: Organization, settings: LazySettings) -> None:
    settings.DEFAULT_PLAN = "pro"
    prepaid_add(organization=workspace, amount=DOLLAR, key="first")
    use(workspace, "one", agent_seconds=3661, telephony_seconds=3661)
    use(workspace, "two", agent_seconds=3000)
    invoice = close(workspace)
    assert invoice is not None
    told = {entry.meter: (entry.quantity, entry.amount) for entry in invoice.lines.filter(kind="usage")}
    for meter, (quantity, amount) in told.items():
        charges = Charge.objects.filter(organization=workspace, event__meter=meter)
        assert amount == sum(charge.amount for charge in charges)
        assert quantity == sum(charge.event.quantity for charge in charges)
    covered = dict(invoice.lines.filter(kind="covered").values_list("text", "amount"))
    assert covered == {"From the monthly budget": -5 * DOLLAR, "From the prepaid balance": -DOLLAR}
    assert invoice.owed == balance(workspace).owed > 0
    assert invoice.total == 5 * DOLLAR + cents(invoice.owed) * CENT
    assert invoice_pay(invoice=invoice)
    assert not invoice_pay(invoice=invoice)
    assert balance(workspace).owed == 0


def test_what_is_reported_late_is_on_the_next_one(workspace: Organization, settings: LazySettings) -> None:
    settings.DEFAULT_PLAN = "pro"
    use(workspace, "one", agent_seconds=6000)
    first = close(workspace)
    use(workspace, "late", agent_seconds=60)
    second = close(workspace, days=30)
    assert first is not None
    assert second is not None
    assert (first.owed, second.owed) == (DOLLAR, 60_000)  # though the first is not paid yet


def test_a_free_month_has_no_invoice_and_a_cancelled_debt_is_carried_over(
    workspace: Organization, owner: User, settings: LazySettings
) -> None:
    settings.DEFAULT_PLAN = "free"
    use(workspace, "one", agent_seconds=600)
    assert close(workspace, "free") is None
    use(workspace, "two", agent_seconds=3000)
    debt = close(workspace, "free", days=30)
    assert debt is not None
    invoice_void(invoice=debt, actor=owner)
    again = close(workspace, "free", days=60)
    assert again is not None
    assert list(again.lines.values_list("text", "amount")) == [("Carried over", debt.owed)]
    assert again.number == debt.number + 1


def test_the_document_has_every_script(workspace: Organization, owner: User, settings: LazySettings) -> None:
    settings.INVOICE_ISSUER = "Łódź Voice S.A.\nVAT PL123"
    values = {"name": "Ναυτιλία & Söhne <GmbH>", "email": "", "address": "Невский 1", "country": "", "tax_id": "DE42"}
    profile_set(organization=workspace, actor=owner, values=values)
    invoice = issue(workspace, "a", 1_234_567)
    document = invoice_pdf(invoice)
    text = PdfReader(BytesIO(document)).pages[0].extract_text()
    for part in ("CW-000001", "Łódź Voice S.A.", "Ναυτιλία & Söhne <GmbH>", "Невский 1", "DE42", "$1.234567", "$1.23"):
        assert part in text
    assert invoice_pdf(invoice) == document


def test_a_long_one_has_more_pages(workspace: Organization) -> None:
    invoice = issue(workspace, "a", *range(1, 90))
    assert len(PdfReader(BytesIO(invoice_pdf(invoice))).pages) > 1


def test_an_invoice_keeps_the_address_of_its_day(workspace: Organization, owner: User) -> None:
    invoice = issue(workspace, "a", CENT)
    profile_set(
        organization=workspace,
        actor=owner,
        values={"name": "New", "email": "", "address": "", "country": "", "tax_id": ""},
    )
    invoice.refresh_from_db()
    assert invoice.buyer == "Acme"
    assert issue(workspace, "b", CENT).buyer == "New"
