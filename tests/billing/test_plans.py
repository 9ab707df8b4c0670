from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Organization, User
from billing.ledger.selectors import balance
from billing.plans import services
from billing.plans.catalogue import AGENT_MINUTE, TELEPHONY_MINUTE
from billing.plans.models import Plan, PlanVersion, Subscription
from billing.plans.selectors import current_version, entitlements, plans_offered
from billing.usage.models import Unit
from core.money import DOLLAR, format_micro
from core.rows import RowIsFinal
from tests.conftest import ClientFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("plan_id", "price", "budget", "limits"),
    [
        ("free", "$0", "$1", (20_000, 8, 1, 1, 1)),
        ("pro", "$5", "$5", (100_000, 12, 3, 3, 1)),
        ("startup", "$49", "$49", (1_250_000, 20, 5, 5, None)),
        ("scale", "$299", "$299", (8_000_000, 60, 10, 10, None)),
    ],
)
def test_the_published_plans_are_as_published(
    plan_id: str, price: str, budget: str, limits: tuple[int | None, ...]
) -> None:
    plan = current_version(plan_id)
    assert (format_micro(plan.price or 0, places=0), format_micro(plan.agent_budget or 0, places=0)) == (price, budget)
    assert (plan.credits, plan.concurrent_calls, plan.agent_slots, plan.number_slots, plan.members) == limits
    assert (plan.agent_minute, plan.telephony_minute) == (AGENT_MINUTE, TELEPHONY_MINUTE) == (60_000, 14_000)


def test_the_installation_of_one_s_own_costs_nothing_and_blocks_nothing(workspace: Organization) -> None:
    plan = entitlements(workspace)
    assert (plan.plan_name, plan.metered_only, plan.plan_version.price) == ("Unlimited", True, 0)
    limits = [plan.concurrent_calls, plan.agent_slots, plan.number_slots, plan.members, plan.outbound_per_second]
    assert limits == [None] * 5
    assert plan.has("commercial_use")
    assert plan.has("sso")


def test_only_the_enterprise_price_is_left_to_a_contract() -> None:
    assert [version.plan_id for version in plans_offered() if version.price is None] == ["enterprise"]


def test_only_the_free_plan_is_for_private_use() -> None:
    assert [v.plan_id for v in plans_offered() if "commercial_use" not in v.entitlements] == ["free"]


def test_plans_that_are_there_are_not_seeded_again(owner: User) -> None:
    pro = Plan.objects.get(pk="pro")
    services.plan_version_create(
        plan=pro, actor=owner, effective_from=timezone.now() - timedelta(seconds=1), values={"price": 6 * DOLLAR}
    )
    services.plans_seed()
    assert current_version("pro").price == 6 * DOLLAR
    assert current_version("pro").credits == 100_000


def test_a_version_counts_from_its_date_on_and_the_former_one_stays_as_it_was(owner: User) -> None:
    pro = Plan.objects.get(pk="pro")
    tomorrow = timezone.now() + timedelta(days=1)
    services.plan_version_create(plan=pro, actor=owner, effective_from=tomorrow, values={"price": 7 * DOLLAR})
    assert current_version("pro").price == 5 * DOLLAR
    assert current_version("pro", tomorrow).price == 7 * DOLLAR
    with pytest.raises(RowIsFinal):
        current_version("pro").save()
    with pytest.raises(RowIsFinal):
        PlanVersion.objects.filter(plan=pro).update(price=0)


def subscribe(organization: Organization, plan_id: str, start: datetime | None = None) -> Subscription:
    """As if the workspace had begun with this plan."""
    subscription = services.subscription_ensure(organization=organization)
    if start is not None:
        subscription.period_start, subscription.period_end = start, services.month_after(start)
        subscription.save()
    return services.subscription_change(organization=organization, plan=Plan.objects.get(pk=plan_id), actor=None)


def test_a_plan_grants_its_budgets(workspace: Organization, settings: Any) -> None:
    settings.DEFAULT_PLAN = "pro"
    services.subscription_ensure(organization=workspace)
    services.subscription_ensure(organization=workspace)
    assert balance(workspace).available == 5 * DOLLAR
    assert balance(workspace, Unit.CREDIT).available == 100_000


def test_a_month_ends_on_the_same_day_of_the_next_or_on_its_last() -> None:
    assert services.month_after(datetime(2027, 1, 31, tzinfo=UTC)) == datetime(2027, 2, 28, tzinfo=UTC)
    assert services.month_after(datetime(2026, 12, 15, 8, tzinfo=UTC)) == datetime(2027, 1, 15, 8, tzinfo=UTC)


def test_what_is_left_of_a_month_expires_and_the_next_one_is_granted(workspace: Organization, settings: Any) -> None:
    settings.DEFAULT_PLAN = "pro"
    subscription = services.subscription_ensure(organization=workspace)
    end = subscription.period_end
    assert services.periods_roll(at=end - timedelta(seconds=1)) == 0
    assert services.periods_roll(at=end) == 1
    assert services.periods_roll(at=end) == 0
    subscription.refresh_from_db()
    assert subscription.period_start == end
    assert balance(workspace).allowance == 5 * DOLLAR


def test_months_that_nobody_saw_to_are_granted_once(workspace: Organization, settings: Any) -> None:
    settings.DEFAULT_PLAN = "pro"
    subscription = services.subscription_ensure(organization=workspace)
    later = subscription.period_end + timedelta(days=70)
    assert services.periods_roll(at=later) == 1
    subscription.refresh_from_db()
    assert subscription.period_start <= later < subscription.period_end
    assert balance(workspace).allowance == 5 * DOLLAR


def test_an_upgrade_grants_the_difference_for_what_is_left_of_the_month(workspace: Organization, settings: Any) -> None:
    settings.DEFAULT_PLAN = "pro"
    subscription = services.subscription_ensure(organization=workspace)
    now = timezone.now()
    subscription.period_start, subscription.period_end = now - timedelta(days=15), now + timedelta(days=15, seconds=5)
    subscription.save()
    services.subscription_change(organization=workspace, plan=Plan.objects.get(pk="startup"), actor=None)
    assert balance(workspace).allowance == pytest.approx(5 * DOLLAR + 22 * DOLLAR, abs=1000)
    assert AuditEntry.objects.get(action="plan.changed").changes["plan"] == ["pro", "startup"]


def test_a_downgrade_takes_no_more_than_there_is(workspace: Organization, settings: Any) -> None:
    settings.DEFAULT_PLAN = "pro"
    services.subscription_ensure(organization=workspace)
    subscribe(workspace, "free")
    assert 0 <= balance(workspace).allowance <= 2 * DOLLAR


def test_a_change_at_the_end_of_the_month_changes_nothing_before(workspace: Organization, settings: Any) -> None:
    settings.DEFAULT_PLAN = "pro"
    subscription = services.subscription_ensure(organization=workspace)
    free = Plan.objects.get(pk="free")
    services.subscription_change(organization=workspace, plan=free, actor=None, at_period_end=True)
    assert entitlements(workspace).plan_name == "Pro"
    assert balance(workspace).allowance == 5 * DOLLAR
    services.periods_roll(at=subscription.period_end)
    assert entitlements(workspace).plan_name == "Free"
    assert balance(workspace).allowance == 1 * DOLLAR


# --- the page of whoever runs the installation


def test_plans_are_changed_on_a_page_by_whoever_runs_the_installation(client_for: ClientFactory, owner: User) -> None:
    owner.is_staff = True
    owner.save()
    client = client_for(owner)
    page = client.get("/plans/").content.decode()
    assert "Enterprise" in page
    assert "1250000" in page.replace(",", "")
    form = client.get("/plans/pro/").context["form"]
    values = {name: field.prepare_value(form.initial[name]) for name, field in form.fields.items()}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    answer = client.post("/plans/pro/", {**sent, "price": "$6.50", "agent_minute": "0.055"})
    assert answer.status_code == 302
    now = current_version("pro")
    assert (now.number, now.price, now.agent_minute, now.credits) == (2, 6_500_000, 55_000, 100_000)
    assert now.entitlements == ["commercial_use", "instant_clone"]
    assert client.post("/plans/pro/", {**sent, "price": "a lot"}).status_code == 422


def test_nobody_else_finds_the_page(client_for: ClientFactory, member: User) -> None:
    assert client_for(member).get("/plans/").status_code == 404
    assert client_for(member).post("/plans/pro/", {"price": "0"}).status_code == 404
    assert client_for().get("/plans/").status_code == 302
    assert current_version("pro").number == 1
