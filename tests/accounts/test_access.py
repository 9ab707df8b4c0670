"""Roles, and the way into a workspace."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.test import Client
from django.urls import reverse

from accounts.access import RANK, get_membership, get_organization, may, require_role
from accounts.models import Organization, Role, User
from core.errors import ApiError, ErrorCode
from tests.conftest import ClientFactory


def test_every_role_has_its_rank() -> None:
    assert set(RANK) == set(Role)
    assert len(set(RANK.values())) == len(Role)


@pytest.mark.parametrize(
    ("minimum", "allowed"),
    [
        (Role.VIEWER, ["viewer", "member", "admin", "owner"]),
        (Role.MEMBER, ["member", "admin", "owner"]),
        (Role.ADMIN, ["admin", "owner"]),
        (Role.OWNER, ["owner"]),
    ],
)
def test_a_role_may_do_what_the_ones_below_it_may(minimum: Role, allowed: list[str]) -> None:
    assert [role for role in ("viewer", "member", "admin", "owner") if may(role, minimum)] == allowed


def test_a_refusal_names_both_roles() -> None:
    with pytest.raises(ApiError) as refused:
        require_role(Role.VIEWER, Role.ADMIN)
    assert refused.value.code == ErrorCode.PERMISSION_DENIED
    assert "admin" in refused.value.message
    assert "viewer" in refused.value.message


def test_a_member_gets_their_membership(member: User, workspace: Organization) -> None:
    membership = get_membership(member, workspace.slug)
    assert (membership.organization, membership.role) == (workspace, Role.MEMBER)
    assert get_organization(member, workspace.slug) == workspace


def test_a_stranger_cannot_tell_a_workspace_from_none(stranger: User, workspace: Organization) -> None:
    messages = []
    for slug in (workspace.slug, "no-such-workspace"):
        with pytest.raises(Http404) as missing:
            get_membership(stranger, slug)
        messages.append(str(missing.value))
    assert messages[0] == messages[1]


def test_nobody_is_a_member_of_anything(workspace: Organization) -> None:
    with pytest.raises(Http404):
        get_membership(AnonymousUser(), workspace.slug)


def test_a_fragment_for_nobody_sends_the_whole_page_to_sign_in(
    client_for: ClientFactory, workspace: Organization
) -> None:
    response = client_for(htmx=True).get(reverse("workspace", args=[workspace.slug]))
    assert response.headers["HX-Redirect"] == reverse("account_login")


def test_a_refusal_arrives_as_a_page_a_fragment_or_json(
    client_for: ClientFactory, viewer: User, workspace: Organization
) -> None:
    url = reverse("workspace", args=[workspace.slug])

    def refused(client: Client) -> str:
        response = client.post(url, {"name": "Mine"})
        assert response.status_code == 403
        return response.content.decode()

    assert "<!DOCTYPE html>" in refused(client_for(viewer))
    assert "<html" not in refused(client_for(viewer, htmx=True))
    assert '"error_code": "permission_denied"' in refused(client_for(viewer, accept="application/json"))
