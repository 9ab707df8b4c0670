"""API keys: what they look like, who makes and revokes them, and when one works."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.api_keys import find_api_key, new_token, parse
from accounts.models import ApiKey, AuditEntry, Organization, User
from accounts.services import api_key_create, api_key_revoke
from tests.builder.pages import html
from tests.conftest import ClientFactory

pytestmark = pytest.mark.django_db

FORM = {"name": "Billing export", "kind": "admin", "days": "90"}


def make(workspace: Organization, owner: User, **fields: Any) -> tuple[ApiKey, str]:
    return api_key_create(organization=workspace, actor=owner, **{"name": "Export", "kind": "standard", **fields})


@pytest.mark.parametrize(("kind", "start"), [("standard", "sk_cw_"), ("admin", "sk_cw_admin_")])
def test_a_key_is_read_back_as_it_was_made(kind: str, start: str) -> None:
    token = new_token(kind)
    assert token.text.startswith(start)
    assert parse(token.text) == token


def test_a_mistyped_key_is_refused_by_its_check(django_assert_num_queries: Any) -> None:
    text = new_token("standard").text
    swapped = text[:20] + ("0" if text[20] != "0" else "1") + text[21:]
    with django_assert_num_queries(0):
        assert [find_api_key(wrong) for wrong in (swapped, text + "0", text.upper(), "", "sk_cw_")] == [None] * 5


def test_no_two_keys_are_alike_and_the_secret_is_not_stored(workspace: Organization, owner: User) -> None:
    (first, one), (_, other) = make(workspace, owner), make(workspace, owner)
    assert one != other
    secret = parse(one).secret  # type: ignore[union-attr]
    stored = [str(value) for value in ApiKey.objects.values_list().get(pk=first.pk)]
    audited = str(AuditEntry.objects.values_list())
    assert not any(secret in value for value in [*stored, audited])


def test_a_key_finds_its_workspace_until_it_is_revoked(workspace: Organization, owner: User) -> None:
    key, text = make(workspace, owner)
    found = find_api_key(text)
    assert found is not None
    assert found.organization == workspace
    api_key_revoke(key=key, actor=owner)
    assert find_api_key(text) is None
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["api_key.created", "api_key.revoked"]


def test_a_key_ends_by_itself(workspace: Organization, owner: User) -> None:
    key, text = make(workspace, owner, expires_at=timezone.now() + timedelta(days=1))
    assert find_api_key(text) == key
    ApiKey.objects.update(expires_at=timezone.now())
    assert find_api_key(text) is None


def test_a_secret_does_not_open_another_key(workspace: Organization, owner: User) -> None:
    (_, one), (other, _) = make(workspace, owner), make(workspace, owner)
    token = parse(one)
    assert token is not None
    forged = type(token)(token.kind, other.public_id, token.secret)
    assert find_api_key(forged.text) is None


def test_a_standard_key_does_not_become_an_admin_key(workspace: Organization, owner: User) -> None:
    _, text = make(workspace, owner)
    token = parse(text)
    assert token is not None
    assert find_api_key(type(token)("admin", token.public_id, token.secret).text) is None


def test_the_last_use_is_written_once_a_minute(
    workspace: Organization, owner: User, django_assert_num_queries: Any
) -> None:
    key, text = make(workspace, owner)
    with django_assert_num_queries(2):
        find_api_key(text)
    with django_assert_num_queries(1):
        find_api_key(text)
    key.refresh_from_db()
    assert key.last_used_at is not None


def test_the_page_shows_a_new_key_once(client_for: ClientFactory, admin: User, workspace: Organization) -> None:
    client, url = client_for(admin), reverse("api_keys", args=[workspace.slug])
    page = html(client.post(url, FORM))
    shown = re.search(r"sk_cw_admin_\w+_\w+_\w+", page)
    assert shown is not None
    found = find_api_key(shown[0])
    assert found is not None
    assert found.name == "Billing export"
    assert shown[0] not in html(client.get(url))


def test_the_page_revokes_a_key(client_for: ClientFactory, admin: User, workspace: Organization, owner: User) -> None:
    key, text = make(workspace, owner)
    page = html(client_for(admin).post(reverse("api_key_revoke", args=[workspace.slug, key.pk]), follow=True))
    assert "Revoked" in page
    assert find_api_key(text) is None


@pytest.mark.parametrize("change", [{"name": ""}, {"kind": "root"}, {"days": "12345"}])
def test_what_makes_no_key_is_said_in_the_form(
    change: dict[str, str], client_for: ClientFactory, admin: User, workspace: Organization
) -> None:
    response = client_for(admin).post(reverse("api_keys", args=[workspace.slug]), FORM | change)
    assert response.status_code == 422
    assert not ApiKey.objects.exists()


def test_a_member_neither_sees_nor_makes_keys(
    client_for: ClientFactory, member: User, workspace: Organization, owner: User
) -> None:
    key, _ = make(workspace, owner)
    client, url = client_for(member), reverse("api_keys", args=[workspace.slug])
    revoke = reverse("api_key_revoke", args=[workspace.slug, key.pk])
    assert [client.get(url).status_code, client.post(url, FORM).status_code, client.post(revoke).status_code] == [
        403
    ] * 3
    assert ApiKey.objects.filter(revoked_at=None).count() == 1
