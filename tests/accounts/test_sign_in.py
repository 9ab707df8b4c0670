"""Signing in and out, and the pages of one's own account."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import LazySettings
from django.core import mail
from django.urls import reverse

from accounts.models import Organization, User
from tests.conftest import PASSWORD, ClientFactory


def test_it_signs_in_and_goes_on_to_where_one_wanted(
    client_for: ClientFactory, owner: User, workspace: Organization
) -> None:
    client = client_for()
    wanted = reverse("workspace", args=[workspace.slug])
    login = client.get(wanted).headers["Location"]
    response = client.post(login, {"login": owner.email, "password": PASSWORD, "next": wanted})
    assert response.headers["Location"] == wanted
    assert client.get(wanted).status_code == 200


def test_a_wrong_password_is_said_without_saying_who_exists(client_for: ClientFactory, owner: User) -> None:
    answers = [
        client_for().post(reverse("account_login"), {"login": email, "password": "wrong"})
        for email in (owner.email, "nobody@example.org")
    ]
    errors = [response.context["form"].non_field_errors() for response in answers]
    assert errors[0]
    assert errors[0] == errors[1]


def test_guesses_at_a_password_are_limited(client_for: ClientFactory, owner: User) -> None:
    client = client_for()
    for _ in range(12):
        client.post(reverse("account_login"), {"login": owner.email, "password": "wrong"})
    client.post(reverse("account_login"), {"login": owner.email, "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_it_signs_out_by_post_only(client_for: ClientFactory, owner: User) -> None:
    client = client_for(owner)
    assert "Sign out?" in client.get(reverse("account_logout")).content.decode()
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_signs_up_by_themselves(client_for: ClientFactory, owner: User, method: str) -> None:
    form = {"email": "new@example.org", "password1": PASSWORD}
    response = getattr(client_for(), method)(reverse("account_signup"), form)
    assert "Sign-up is closed" in response.content.decode()
    assert User.objects.count() == 1


def test_the_sign_in_page_offers_no_sign_up(client_for: ClientFactory, db: None) -> None:
    assert reverse("account_signup") not in client_for().get(reverse("account_login")).content.decode()


def test_a_link_to_elsewhere_is_not_followed_after_signing_in(client_for: ClientFactory, owner: User) -> None:
    form = {"login": owner.email, "password": PASSWORD, "next": "https://evil.example.org/"}
    response = client_for().post(reverse("account_login"), form)
    assert response.headers["Location"] == reverse("home")


# --- Passwords and mail -----------------------------------------------------------------------------------------------


def test_without_a_mail_server_the_reset_page_says_where_the_link_goes(client_for: ClientFactory, db: None) -> None:
    page = client_for().get(reverse("account_reset_password")).content.decode()
    assert "No mail server is set" in page
    assert "changepassword" in page


def test_with_a_mail_server_the_reset_page_does_not_speak_of_terminals(
    client_for: ClientFactory, settings: LazySettings, db: None
) -> None:
    settings.HAS_MAIL_SERVER = True
    page = client_for().get(reverse("account_reset_password")).content.decode()
    assert "terminal" not in page


def test_a_forgotten_password_is_replaced_by_the_mailed_link(client_for: ClientFactory, owner: User) -> None:
    client = client_for()
    assert client.post(reverse("account_reset_password"), {"email": owner.email}).status_code == 302
    [message] = mail.outbox
    assert message.to == [owner.email]
    link = next(word for word in str(message.body).split() if "/password/reset/key/" in word)
    form_page = client.get(link.removeprefix("http://testserver"), follow=True)
    new = "another-lantern-42"
    client.post(form_page.redirect_chain[-1][0], {"password1": new, "password2": new})
    owner.refresh_from_db()
    assert owner.check_password(new)


def test_the_password_is_changed_with_the_old_one(client_for: ClientFactory, owner: User) -> None:
    new = "another-lantern-42"
    url = reverse("account_change_password")
    client = client_for(owner)
    client.post(url, {"oldpassword": "wrong", "password1": new, "password2": new})
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    client.post(url, {"oldpassword": PASSWORD, "password1": new, "password2": new})
    owner.refresh_from_db()
    assert owner.check_password(new)


@pytest.mark.parametrize(
    "name", ["account_email", "account_change_password", "account_logout", "mfa_index", "account_reauthenticate"]
)
def test_the_pages_of_the_account_are_drawn_in_our_frame(
    client_for: ClientFactory, owner: User, workspace: Organization, name: str
) -> None:
    page = client_for(owner).get(reverse(name)).content.decode()
    assert "dist/app.css" in page
    assert 'class="page-title"' in page
    assert "<strong>Menu:</strong>" not in page


# --- Two factors ------------------------------------------------------------------------------------------------------


def test_a_second_factor_is_set_up_and_then_asked_for(client_for: ClientFactory, owner: User) -> None:
    client = client_for()
    login = {"login": owner.email, "password": PASSWORD}
    client.post(reverse("account_login"), login)
    url = reverse("mfa_activate_totp")
    assert client.get(url).headers["Location"].startswith(reverse("account_reauthenticate"))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(url)
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    client.post(url, {"code": code})
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"totp", "recovery_codes"}

    again = client_for()
    response = again.post(reverse("account_login"), login)
    assert response.headers["Location"] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in again.session
    recovery = Authenticator.objects.get(user=owner, type="recovery_codes")
    again.post(reverse("mfa_authenticate"), {"code": recovery.wrap().get_unused_codes()[0]})
    assert again.session["_auth_user_id"] == owner.pk


def test_the_recovery_codes_that_are_left_are_shown_one_a_line(client_for: ClientFactory, owner: User) -> None:
    TOTP.activate(owner, generate_totp_secret())
    used, *left = RecoveryCodes.activate(owner).get_unused_codes()
    client = client_for(owner)
    client.post(reverse("mfa_reauthenticate"), {"code": used})
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert page.split('<pre id="recovery-codes">')[1].split("</pre>")[0].split() == left
