"""The page Billing: what it shows to whom, and what its forms do."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.models import AuditEntry, Organization, User
from billing.invoices.models import Invoice
from billing.invoices.services import invoice_issue
from billing.ledger.selectors import balance
from billing.limits.leases import call_admit
from billing.limits.models import Budget
from billing.payments import services
from billing.plans.models import Plan
from billing.plans.selectors import subscription_of
from builder.models import Agent
from core.errors import ApiError
from core.money import DOLLAR
from tests.billing.payments.conftest import Payer
from tests.billing.stripe_fake.state import DAY, DECLINED
from tests.builder.pages import html
from tests.conftest import AgentFactory, ClientFactory

pytestmark = pytest.mark.django_db

FORMS = ["plan_change", "plan_keep", "top_up", "portal", "recharge_set", "usage_set", "billing_profile", "budget_add"]
ADMINISTRATION = ["grant", "plan_assign"]


@pytest.fixture
def administrator(owner: User) -> User:
    owner.is_superuser = True
    owner.save()
    return owner


def address(name: str, workspace: Organization, *more: str) -> str:
    return reverse(name, args=[workspace.slug, *more])


def test_a_machine_of_one_s_own_shows_that_nothing_is_charged(
    client_for: ClientFactory, owner: User, workspace: Organization
) -> None:
    page = html(client_for(owner).get(address("billing", workspace)))
    assert "usage is measured, and nothing is charged" in page
    assert "No payments by card" not in page
    assert html(client_for(owner).get(address("billing_balance", workspace))).strip() == ""


def test_without_a_payment_service_the_page_says_who_does_it(
    client_for: ClientFactory, owner: User, workspace: Organization, settings: LazySettings
) -> None:
    settings.DEFAULT_PLAN = "free"
    page = html(client_for(owner).get(address("billing", workspace)))
    assert "No payments by card" in page
    assert address("top_up", workspace) not in page
    assert "$1.00" in html(client_for(owner).get(address("billing_balance", workspace)))


@pytest.mark.parametrize("name", ["billing", "plan_preview", *FORMS, *ADMINISTRATION])
def test_members_do_not_look_after_the_money(
    name: str, client_for: ClientFactory, member: User, workspace: Organization
) -> None:
    client = client_for(member)
    response = client.get(address(name, workspace))
    if response.status_code == 405:
        response = client.post(address(name, workspace))
    assert response.status_code == 403
    assert html(client.get(address("billing_balance", workspace))).strip() == ""


@pytest.mark.parametrize("name", ADMINISTRATION)
def test_owning_a_workspace_is_not_administering_the_installation(
    name: str, client_for: ClientFactory, owner: User, workspace: Organization
) -> None:
    assert client_for(owner).post(address(name, workspace), {"amount": "5", "note": "x"}).status_code == 403
    assert balance(workspace).prepaid == 0


def test_an_administrator_gives_money_and_chooses_the_plan(
    client_for: ClientFactory, administrator: User, workspace: Organization, settings: LazySettings
) -> None:
    settings.DEFAULT_PLAN = "free"
    client = client_for(administrator)
    client.post(address("grant", workspace), {"amount": "12.50", "note": "Welcome"})
    assert balance(workspace).prepaid == 12_500_000
    client.post(address("plan_assign", workspace), {"plan": "startup"})
    subscription = subscription_of(workspace)
    assert subscription is not None
    assert subscription.plan_version.plan_id == "startup"
    assert AuditEntry.objects.filter(action="ledger.adjustment", actor=administrator).exists()
    invoice = Invoice.objects.get()  # for the rest of the month, and that has only begun
    assert (invoice.kind, invoice.status) == ("change", "open")
    assert invoice.total == 49 * DOLLAR


@pytest.mark.parametrize("amount", ["", "cheap", "-5", "4.99", "10000.01"])
def test_what_is_no_amount_is_said_at_its_field(amount: str, client_for: ClientFactory, payer: Payer) -> None:
    response = client_for(payer.actor).post(address("top_up", payer.organization), {"amount": amount})
    assert response.status_code == 422
    assert "field-error" in html(response)


def test_a_change_is_shown_before_it_is_made(client_for: ClientFactory, payer: Payer) -> None:
    payer.choose("pro")
    client = client_for(payer.actor, htmx=True)
    page = html(client.get(address("plan_preview", payer.organization), {"plan": "startup"}))
    assert "Unused time on Pro" in page
    assert "Charged now to Visa ending in 4242" in page
    client.post(address("plan_change", payer.organization), {"plan": "startup"})
    assert payer.plan == "startup"
    page = html(client.get(address("plan_preview", payer.organization), {"plan": "pro"}))
    assert "Nothing is charged now" in page


@pytest.mark.parametrize("seconds", [-3601, 60, 29 * DAY])
def test_the_price_is_that_of_the_last_hour_and_not_of_a_moment_one_chooses(
    seconds: int, client_for: ClientFactory, payer: Payer
) -> None:
    payer.choose("pro")
    payer.wait(DAY)
    at = payer.stripe.state.now + seconds
    change = {"plan": "scale", "at": f"{at}"}
    refused = client_for(payer.actor, htmx=True).post(address("plan_change", payer.organization), change)
    assert refused.status_code == 409
    assert "Look at the price again" in html(refused)
    assert (payer.plan, payer.paid) == ("pro", [500])


def test_a_price_that_was_shown_some_minutes_ago_is_charged(client_for: ClientFactory, payer: Payer) -> None:
    payer.choose("pro")
    payer.wait(15 * DAY)
    shown = payer.stripe.state.now
    payer.wait(1800)
    change = {"plan": "startup", "at": f"{shown}"}
    client_for(payer.actor, htmx=True).post(address("plan_change", payer.organization), change)
    assert payer.paid == [500, 2200]


@pytest.mark.parametrize("at", ["²", "9" * 30, "soon"])
def test_what_is_no_moment_is_refused(at: str, client_for: ClientFactory, payer: Payer) -> None:
    payer.choose("pro")
    change = {"plan": "scale", "at": at}
    assert (
        client_for(payer.actor, htmx=True).post(address("plan_change", payer.organization), change).status_code == 422
    )
    assert (payer.plan, payer.paid) == ("pro", [500])


def test_nobody_helps_themselves_to_the_plan_that_charges_nothing(client_for: ClientFactory, payer: Payer) -> None:
    client = client_for(payer.actor, htmx=True)
    assert client.get(address("plan_preview", payer.organization), {"plan": "unlimited"}).status_code == 404
    assert client.post(address("plan_change", payer.organization), {"plan": "unlimited"}).status_code == 404
    assert payer.plan == "free"


def test_who_has_the_plan_that_charges_nothing_may_leave_it_and_an_administrator_gives_it_back(
    client_for: ClientFactory, payer: Payer, administrator: User, settings: LazySettings
) -> None:
    settings.DEFAULT_PLAN = "unlimited"
    client = client_for(administrator, htmx=True)
    client.post(address("plan_change", payer.organization), {"plan": "free"})
    assert payer.plan == "free"
    client.post(address("plan_assign", payer.organization), {"plan": "unlimited"})
    assert payer.plan == "unlimited"


def test_somebody_who_pays_is_sent_to_stripe_and_told_of_a_refusal(client_for: ClientFactory, payer: Payer) -> None:
    client = client_for(payer.actor, htmx=True)
    sent = client.post(address("top_up", payer.organization), {"amount": "20"})
    assert sent.headers["HX-Redirect"].startswith(payer.stripe.url)
    payer.stripe.outages = [400]
    refused = client.post(address("portal", payer.organization))
    assert refused.status_code == 502
    assert "Stripe refused" in html(refused)


def test_a_failed_payment_is_on_top_of_the_page(client_for: ClientFactory, payer: Payer) -> None:
    payer.choose("pro")
    payer.use_card(DECLINED)
    payer.wait(31 * DAY)
    page = html(client_for(payer.actor).get(address("billing", payer.organization)))
    assert "The last payment failed" in page
    assert payer.account.pay_url in page


def test_who_has_no_plan_by_card_cannot_go_on_beyond_the_budget(client_for: ClientFactory, payer: Payer) -> None:
    client, workspace = client_for(payer.actor), payer.organization
    assert "Only while a plan is paid by card" in html(client.get(address("billing", workspace)))
    client.post(address("usage_set", workspace), {"overage": "on", "grace_seconds": "45"})
    assert (payer.subscription.overage, payer.subscription.grace_seconds) == (False, 45)
    payer.choose("pro")
    assert "Only while a plan is paid by card" not in html(client.get(address("billing", workspace)))


def test_an_overdue_invoice_is_on_top_of_the_page(client_for: ClientFactory, payer: Payer) -> None:
    payer.use(6000)
    payer.wait(50 * DAY)
    page = html(client_for(payer.actor).get(address("billing", payer.organization)))
    assert "Calls have stopped: an invoice is overdue" in page
    assert "$5.00 is owed. Top up by at least that much" in page


def test_without_limit_the_page_asks_for_no_money(client_for: ClientFactory, administrator: User, payer: Payer) -> None:
    services.plan_assign(organization=payer.organization, actor=administrator, plan=Plan.objects.get(pk="enterprise"))
    payer.use(6000)
    page = html(client_for(administrator).get(address("billing", payer.organization)))
    assert "-$" not in page
    assert "Automatic recharge" not in page
    assert "When the money is spent" not in page


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "Tick it"),
        ({"hard_stop": "on", "emails": "a@example.org"}, "Nobody is told of single calls"),
        ({"hard_stop": "on", "webhook_url": "https://ops.example.org"}, "Nobody is told of single calls"),
    ],
)
def test_a_budget_of_each_call_ends_calls_and_tells_nobody(
    wrong: dict[str, str], told: str, client_for: ClientFactory, owner: User, workspace: Organization
) -> None:
    client = client_for(owner)
    form = {"name": "Calls", "of": "call", "window": "day", "limit": "1", "thresholds": "80, 100"}
    refused = client.post(address("budget_add", workspace), {**form, **wrong})
    assert refused.status_code == 422
    assert told in html(refused)
    client.post(address("budget_add", workspace), {**form, "hard_stop": "on"})
    saved = Budget.objects.get()
    assert (saved.scope, saved.hard_stop, saved.thresholds) == ("call", True, [])


def test_settings_are_kept(client_for: ClientFactory, payer: Payer) -> None:
    payer.choose("pro")
    client = client_for(payer.actor)
    workspace = payer.organization
    client.post(address("usage_set", workspace), {"overage": "on", "grace_seconds": "45"})
    client.post(address("recharge_set", workspace), {"enabled": "on", "threshold": "2", "amount": "25"})
    profile = {"name": "Acme GmbH", "address": "Weg 1\n10115 Berlin", "country": "Germany", "tax_id": "DE123"}
    client.post(address("billing_profile", workspace), {**profile, "email": "bills@example.org"})
    budget = {"name": "Month", "of": "workspace", "window": "month", "limit": "100", "thresholds": "50, 90"}
    client.post(address("budget_add", workspace), {**budget, "emails": "a@example.org, b@example.org"})
    assert (payer.subscription.overage, payer.subscription.grace_seconds) == (True, 45)
    saved = Budget.objects.get(organization=workspace)
    assert (saved.limit, saved.thresholds, saved.emails) == (100 * DOLLAR, [50, 90], ["a@example.org", "b@example.org"])
    page = html(client.get(address("billing", workspace)))
    for shown in ("Acme GmbH", "DE123", 'value="25.00"', 'value="45"', "$0.00 of $100.00 a month"):
        assert shown in page
    client.post(address("budget_remove", workspace, saved.pk))
    assert not Budget.objects.exists()


def test_a_budget_of_one_agent_stops_its_calls_alone(
    client_for: ClientFactory, owner: User, workspace: Organization, agent_factory: AgentFactory
) -> None:
    agent, other = agent_factory("Front desk"), agent_factory("Night desk")
    client = client_for(owner)
    budget = {"name": "Desk", "of": f"agent:{agent.pk}", "window": "day", "limit": "0.01", "hard_stop": "on"}
    client.post(address("budget_add", workspace), budget)
    saved = Budget.objects.get()
    assert (saved.scope, saved.target, saved.window) == ("agent", agent.pk, "day")
    assert "Front desk, $0.00 of $0.01 a day, calls stop there" in " ".join(
        strip_tags(html(client.get(address("billing", workspace)))).split()
    )

    def call(agent: Agent, call_id: str) -> None:
        call_admit(organization=workspace, call_id=call_id, agent_id=agent.pk, started_at=timezone.now())

    call(agent, "call_1")  # which holds the cent
    with pytest.raises(ApiError, match="The budget Desk of"):
        call(agent, "call_2")
    call(other, "call_3")


@pytest.mark.parametrize("of", ["agent:agent_of_others", "campaign", "agent:"])
def test_a_budget_of_what_is_not_there_is_refused_in_its_place(
    of: str, client_for: ClientFactory, owner: User, workspace: Organization
) -> None:
    budget = {"name": "Desk", "of": of, "window": "day", "limit": "5"}
    assert client_for(owner).post(address("budget_add", workspace), budget).status_code == 422
    assert not Budget.objects.exists()


def test_the_secret_of_a_budget_s_webhook_is_shown_once(
    client_for: ClientFactory, owner: User, workspace: Organization
) -> None:
    client = client_for(owner)
    budget = {
        "name": "Month",
        "of": "workspace",
        "window": "month",
        "limit": "5",
        "webhook_url": "hooks.example.org/money",
    }
    client.post(address("budget_add", workspace), budget)
    saved = Budget.objects.get()
    assert saved.webhook_url == "https://hooks.example.org/money"
    assert saved.webhook_secret in html(client.get(address("billing", workspace)))
    assert saved.webhook_secret not in html(client.get(address("billing", workspace)))


def test_an_invoice_is_a_page_and_a_document(client_for: ClientFactory, payer: Payer) -> None:
    payer.top_up(20 * DOLLAR)
    payer.hear()
    client = client_for(payer.actor)
    invoice = Invoice.objects.get()
    page = html(client.get(address("invoice", payer.organization, invoice.pk)))
    assert "CW-000001" in page
    assert "$20.00" in page
    document = client.get(address("invoice_pdf", payer.organization, invoice.pk))
    assert document.headers["Content-Type"] == "application/pdf"
    assert b"".join(document).startswith(b"%PDF-")


def test_without_cards_an_administrator_notes_that_an_invoice_is_paid(
    client_for: ClientFactory, administrator: User, workspace: Organization
) -> None:
    made = [
        invoice_issue(organization=workspace, kind=Invoice.Kind.PERIOD, key=key, lines=[], at=timezone.now())
        for key in ("one", "two")
    ]
    client = client_for(administrator)
    client.post(address("invoice_paid", workspace, made[0].pk))
    client.post(address("invoice_cancel", workspace, made[1].pk))
    assert [invoice.status for invoice in Invoice.objects.order_by("number")] == ["paid", "void"]
    assert client.post(address("invoice_cancel", workspace, made[0].pk)).status_code == 409


def test_a_stored_card_that_cannot_be_asked_for_does_not_break_the_page(payer: Payer) -> None:
    payer.choose("pro")
    payer.stripe.outages = [400]
    assert services.stored_card(payer.organization) is None
