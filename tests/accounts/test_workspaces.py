"""Making, renaming and switching workspaces."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.urls import reverse

from accounts import services
from accounts.models import AuditEntry, Membership, Organization, Role, User
from tests.conftest import ClientFactory, OrganizationFactory


@pytest.fixture(autouse=True)
def _bare_workspaces(settings: LazySettings) -> None:
    settings.ON_ORGANIZATION_CREATED = []


def test_anyone_signed_in_makes_a_workspace_and_owns_it(
    client_for: ClientFactory, member: User, workspace: Organization
) -> None:
    client = client_for(member)
    assert client.get(reverse("workspace_new")).status_code == 200
    response = client.post(reverse("workspace_new"), {"name": "Second"})
    assert response.headers["Location"] == reverse("agents", args=["second"])
    assert Membership.objects.get(organization__slug="second").role == Role.OWNER


def test_a_workspace_needs_a_name(client_for: ClientFactory, member: User) -> None:
    response = client_for(member).post(reverse("workspace_new"), {"name": " "})
    assert response.status_code == 422
    assert Organization.objects.count() == 1


def test_nobody_makes_no_workspace(client_for: ClientFactory, db: None) -> None:
    response = client_for().post(reverse("workspace_new"), {"name": "Mine"})
    assert response.headers["Location"].startswith(reverse("account_login"))
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme", "acme-2"),  # "Acme" is taken below
        ("Settings", "settings-2"),  # reads like a part of the site
        ("日本", "workspace"),
        ("-- ! --", "workspace"),
        ("A" * 120, "a" * 50),
    ],
)
def test_the_address_follows_from_the_name_and_is_free(owner: User, name: str, slug: str) -> None:
    Organization.objects.create(name="Acme", slug="acme")
    organization, _ = services.organization_create(name=name, owner=owner)
    assert organization.slug == slug


def test_a_third_workspace_of_the_same_name_gets_the_next_number(owner: User) -> None:
    slugs = [services.organization_create(name="Acme", owner=owner)[0].slug for _ in range(3)]
    assert slugs == ["acme", "acme-2", "acme-3"]


@pytest.mark.parametrize("persona", ["owner", "admin"])
def test_admins_rename_it_and_that_is_written_down(
    client_for: ClientFactory, workspace: Organization, request: pytest.FixtureRequest, persona: str
) -> None:
    user: User = request.getfixturevalue(persona)
    url = reverse("workspace", args=[workspace.slug])
    response = client_for(user).post(url, {"name": "Acme & Sons"})
    assert response.headers["Location"] == url
    workspace.refresh_from_db()
    assert workspace.name == "Acme & Sons"
    entry = AuditEntry.objects.get(action="organization.renamed")
    assert (entry.organization, entry.actor, entry.target) == (workspace, user, workspace.id)
    assert entry.changes == {"name": ["Acme", "Acme & Sons"]}


@pytest.mark.parametrize("persona", ["member", "viewer"])
def test_others_see_the_name_and_cannot_change_it(
    client_for: ClientFactory, workspace: Organization, request: pytest.FixtureRequest, persona: str
) -> None:
    client = client_for(request.getfixturevalue(persona))
    url = reverse("workspace", args=[workspace.slug])
    assert 'name="name"' not in client.get(url).content.decode()
    assert client.post(url, {"name": "Mine"}).status_code == 403
    workspace.refresh_from_db()
    assert workspace.name == "Acme"


def test_a_name_that_stays_is_no_news(owner: User, workspace: Organization) -> None:
    services.organization_rename(organization=workspace, actor=owner, name=workspace.name)
    assert not AuditEntry.objects.exists()


def test_a_name_is_shown_as_text(client_for: ClientFactory, owner: User, workspace: Organization) -> None:
    services.organization_rename(organization=workspace, actor=owner, name="<script>alert(1)</script>")
    page = client_for(owner).get(reverse("workspace", args=[workspace.slug])).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_members_are_listed_from_the_owner_down(
    client_for: ClientFactory, viewer: User, member: User, admin: User, owner: User, workspace: Organization
) -> None:
    response = client_for(viewer).get(reverse("workspace", args=[workspace.slug]))
    assert [one.user for one in response.context["memberships"]] == [owner, admin, member, viewer]


def test_the_switcher_lists_only_ones_own_workspaces(
    client_for: ClientFactory,
    owner: User,
    workspace: Organization,
    other_workspace: Organization,
    organization_factory: OrganizationFactory,
) -> None:
    mine = organization_factory("Second", owner=owner)
    page = client_for(owner).get(reverse("workspace", args=[workspace.slug])).content.decode()
    assert reverse("agents", args=[mine.slug]) in page
    assert reverse("agents", args=[other_workspace.slug]) not in page


# --- The front door ---------------------------------------------------------------------------------------------------


def test_home_is_the_workspace_one_was_in_last(
    client_for: ClientFactory, owner: User, workspace: Organization, organization_factory: OrganizationFactory
) -> None:
    second = organization_factory("Second", owner=owner)
    client = client_for(owner)
    assert client.get("/").headers["Location"] == reverse("agents", args=[workspace.slug])
    client.get(reverse("workspace", args=[second.slug]))
    assert client.get("/").headers["Location"] == reverse("agents", args=[second.slug])


def test_home_forgets_a_workspace_that_one_has_left(
    client_for: ClientFactory, owner: User, workspace: Organization, organization_factory: OrganizationFactory
) -> None:
    second = organization_factory("Second", owner=owner)
    client = client_for(owner)
    client.get(reverse("workspace", args=[second.slug]))
    owner.memberships.filter(organization=second).delete()
    assert client.get("/").headers["Location"] == reverse("agents", args=[workspace.slug])


def test_who_is_in_no_workspace_is_led_to_make_one(client_for: ClientFactory, stranger: User) -> None:
    client = client_for(stranger)
    assert client.get("/").headers["Location"] == reverse("workspace_new")
    page = client.get(reverse("workspace_new")).content.decode()
    assert 'id="palette"' not in page


def test_home_asks_nobody_to_sign_in(client_for: ClientFactory, owner: User) -> None:
    assert client_for().get("/").headers["Location"].startswith(reverse("account_login"))
