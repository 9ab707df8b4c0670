"""The page of prices: who may change them, and which calls they are for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Organization, User
from billing import services
from billing.models import ProviderPrice
from billing.selectors import price_book
from tests.builder.pages import html
from tests.conftest import ClientFactory

pytestmark = pytest.mark.django_db

KEY = {"vendor": "deepgram", "model": "nova-3", "unit": "stt_second"}


def price(organization: Organization) -> int | None:
    return price_book(organization).price_of(*KEY.values())


def test_a_viewer_reads_the_list_prices(client_for: ClientFactory, viewer: User, workspace: Organization) -> None:
    page = html(client_for(viewer).get(reverse("prices", args=[workspace.slug])))
    assert "nova-3" in page
    assert "$0.0048" in page
    assert "deepgram.com/pricing, 2026-08-01" in page
    assert reverse("price_set", args=[workspace.slug]) not in page


def test_an_admin_sets_a_price_and_it_is_in_the_audit(
    client_for: ClientFactory, admin: User, workspace: Organization, other_workspace: Organization
) -> None:
    client = client_for(admin)
    page = html(client.post(reverse("price_set", args=[workspace.slug]), KEY | {"price": "$0.0042"}, follow=True))
    assert price(workspace) == 70_000_000
    assert price(other_workspace) == 80_000_000
    assert "deepgram · nova-3 · Speech recognised</span>: $0.004800 per minute → $0.004200 per minute" in page
    entry = AuditEntry.objects.get(action="price.set")
    assert entry.actor == admin


def test_the_list_price_comes_back(client_for: ClientFactory, admin: User, workspace: Organization) -> None:
    services.price_set(organization=workspace, actor=admin, **KEY, price=1_000)
    client_for(admin).post(reverse("price_reset", args=[workspace.slug]), KEY)
    assert price(workspace) == 80_000_000
    assert AuditEntry.objects.get(action="price.reset").changes == {
        "deepgram · nova-3 · Speech recognised": ["$0.001000 per minute", "$0.004800 per minute"]
    }


def test_a_call_of_yesterday_keeps_its_price(admin: User, workspace: Organization) -> None:
    services.price_set(organization=workspace, actor=admin, **KEY, price=1_000)
    yesterday = timezone.now() - timedelta(days=1)
    assert price_book(workspace, yesterday).price_of(*KEY.values()) == 80_000_000


def test_a_price_for_what_nobody_lists_can_be_added(
    client_for: ClientFactory, admin: User, workspace: Organization
) -> None:
    added = {"vendor": "compatible", "model": "llama", "unit": "llm_input_token", "price": "0.05"}
    page = html(client_for(admin).post(reverse("price_set", args=[workspace.slug]), added, follow=True))
    assert "OpenAI-compatible service" in page
    assert price_book(workspace).price_of("compatible", "llama", "llm_input_token") == 50_000


@pytest.mark.parametrize(
    "change", [{"price": "cheap"}, {"price": "-1"}, {"price": "0.00000001"}, {"vendor": "nobody"}, {"unit": "hug"}]
)
def test_what_is_no_price_is_refused(
    change: dict[str, Any], client_for: ClientFactory, admin: User, workspace: Organization
) -> None:
    response = client_for(admin).post(reverse("price_set", args=[workspace.slug]), KEY | {"price": "1"} | change)
    assert response.status_code == 422
    assert not ProviderPrice.objects.exists()


@pytest.mark.parametrize("action", ["price_set", "price_reset"])
def test_a_member_changes_nothing(
    action: str, client_for: ClientFactory, member: User, workspace: Organization
) -> None:
    response = client_for(member).post(reverse(action, args=[workspace.slug]), KEY | {"price": "1"})
    assert response.status_code == 403
    assert not ProviderPrice.objects.exists()
