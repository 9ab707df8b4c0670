"""The first visit to an empty installation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import close_old_connections, connection
from django.urls import reverse

from accounts import services, setup
from accounts.models import AuditEntry, Membership, Organization, Role, User
from core.errors import ApiError, ErrorCode
from tests.conftest import ClientFactory, UserFactory

FORM = {
    "name": "Ada",
    "email": "ada@example.org",
    "password": "quiet-harbour-lamp-7",
    "workspace_name": "Bakery Löwe & Co",
}


@pytest.fixture(autouse=True)
def _bare_workspaces(settings: LazySettings) -> None:
    settings.ON_ORGANIZATION_CREATED = []


def test_an_empty_installation_leads_to_set_up(client_for: ClientFactory) -> None:
    response = client_for().get("/")
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("setup")


def test_it_makes_the_owner_and_a_workspace_and_signs_in(client_for: ClientFactory) -> None:
    client = client_for()
    response = client.post(reverse("setup"), FORM)
    assert response.status_code == 302
    user = User.objects.get()
    assert (user.email, user.name) == ("ada@example.org", "Ada")
    assert user.check_password(FORM["password"])
    membership = Membership.objects.get()
    assert (membership.user, membership.role) == (user, Role.OWNER)
    assert membership.organization.slug == "bakery-lowe-co"
    assert client.get("/").headers["Location"] == reverse("agents", args=["bakery-lowe-co"])


def test_the_owner_can_sign_in_again_with_their_email(client_for: ClientFactory) -> None:
    client_for().post(reverse("setup"), FORM)
    client = client_for()
    client.post(reverse("account_login"), {"login": "Ada@Example.org", "password": FORM["password"]})
    assert client.session["_auth_user_id"] == User.objects.get().pk


def test_it_lands_on_the_page_of_what_furnishes_the_workspace(
    client_for: ClientFactory, settings: LazySettings
) -> None:
    settings.ON_ORGANIZATION_CREATED = ["tests.accounts.test_setup.furnish"]
    response = client_for().post(reverse("setup"), FORM)
    assert response.headers["Location"] == "/hello/bakery-lowe-co/"


class Furniture:
    def __init__(self, slug: str) -> None:
        self.slug = slug

    def get_absolute_url(self) -> str:
        return f"/hello/{self.slug}/"


def furnish(*, organization: Organization, actor: User) -> Furniture:
    assert actor.email == FORM["email"]
    return Furniture(organization.slug)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "ada@example.org"}, "password"),
        ({"workspace_name": ""}, "workspace_name"),
    ],
)
def test_it_says_what_is_wrong_and_makes_nothing(
    client_for: ClientFactory, changed: dict[str, str], field: str
) -> None:
    response = client_for().post(reverse("setup"), {**FORM, **changed})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not User.objects.exists()


def test_the_password_is_never_sent_back(client_for: ClientFactory) -> None:
    response = client_for().post(reverse("setup"), {**FORM, "email": ""})
    assert FORM["password"] not in response.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_second_visitor_is_sent_away(client_for: ClientFactory, user_factory: UserFactory, method: str) -> None:
    user_factory()
    response = getattr(client_for(), method)(reverse("setup"), FORM)
    assert response.headers["Location"] == reverse("home")
    assert User.objects.count() == 1


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "visitor"),
    [
        pytest.param({"HOST": "0.0.0.0"}, {}, id="bound to every address"),
        pytest.param({"HOST": "192.168.0.2"}, {}, id="bound to the network"),
        pytest.param({"SITE_URL": "https://calls.example.org"}, {}, id="public address"),
        pytest.param({"TRUST_PROXY": True}, {}, id="behind a proxy"),
        pytest.param({}, {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, id="through an undeclared proxy"),
        pytest.param({}, {"HTTP_FORWARDED": "for=203.0.113.9"}, id="through a modern proxy"),
        pytest.param({}, {"REMOTE_ADDR": "203.0.113.9"}, id="from elsewhere"),
    ],
)
def test_who_may_be_elsewhere_has_to_show_the_token(
    client_for: ClientFactory, settings: LazySettings, there: dict[str, Any], visitor: dict[str, str]
) -> None:
    for name, value in there.items():
        setattr(settings, name, value)
    client = client_for()
    client.defaults.update(visitor)
    assert 'name="token"' in client.get(reverse("setup")).content.decode()
    for wrong in ({}, {"token": ""}, {"token": "guess"}, {"token": "ünicode"}):
        assert client.post(reverse("setup"), {**FORM, **wrong}).status_code == 422
    assert not User.objects.exists()
    assert client.post(reverse("setup"), {**FORM, "token": f" {setup.token()} "}).status_code == 302
    assert User.objects.exists()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_who_sits_at_the_machine_needs_no_token(client_for: ClientFactory, address: str) -> None:
    response = client_for().get(reverse("setup"), REMOTE_ADDR=address)
    assert 'name="token"' not in response.content.decode()


def test_the_link_in_the_terminal_fills_the_token_in(client_for: ClientFactory, settings: LazySettings) -> None:
    settings.HOST = "0.0.0.0"
    page = client_for().get(reverse("setup"), {"token": "abc"}).content.decode()
    assert 'value="abc"' in page


def test_the_token_is_readable_by_its_owner_alone_and_gone_after_use(
    client_for: ClientFactory, settings: LazySettings
) -> None:
    settings.HOST = "0.0.0.0"
    token = setup.token()
    assert setup.token() == token
    assert setup.token_file().stat().st_mode & 0o077 == 0
    client_for().post(reverse("setup"), {**FORM, "token": token})
    assert not setup.token_file().exists()


def test_guesses_at_the_token_are_limited(client_for: ClientFactory, settings: LazySettings) -> None:
    settings.HOST = "0.0.0.0"
    client = client_for()
    statuses = [client.post(reverse("setup"), {**FORM, "token": "guess"}).status_code for _ in range(40)]
    assert statuses[0] == 422
    assert statuses[-1] == 429


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_known_by_all_its_names(host: str) -> None:
    assert setup.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.example.org", ""])
def test_nothing_else_is_loopback(host: str) -> None:
    assert not setup.is_loopback(host)


# --- The service ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_making_the_owner_is_written_down() -> None:
    user, _ = services.owner_setup(email="a@example.org", password="x", organization_name="Acme")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (user, "organization.created", Organization.objects.get().id)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_set_up_at_once_one_becomes_the_owner() -> None:
    def attempt(number: int) -> str:
        try:
            services.owner_setup(email=f"{number}@example.org", password="x", organization_name="Acme")
        except ApiError as error:
            return error.code
        else:
            return "made"
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(attempt, range(2)))
    assert sorted(outcomes) == [ErrorCode.CONFLICT, "made"]
    assert User.objects.count() == Organization.objects.count() == 1
