"""A wrong setting is said before anybody pays."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from billing.stripe import checks

KEY = "sk_live_0123456789"
SECRET = "whsec_0123456789"


def problems(settings: LazySettings, key: str, secret: str) -> list[str | None]:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = key, secret
    return [message.id for message in checks.check_stripe(None)]


def test_without_stripe_nothing_is_wrong(settings: LazySettings) -> None:
    assert problems(settings, "", "") == []


def test_a_key_with_the_secret_of_its_webhook_is_right(settings: LazySettings) -> None:
    assert problems(settings, KEY, SECRET) == []


@pytest.mark.parametrize("key", ["pk_live_0123456789", "whsec_0123456789", "sk_live_", "secret", f" {KEY}"])
def test_what_is_no_secret_key_is_an_error(settings: LazySettings, key: str) -> None:
    assert problems(settings, key, SECRET) == ["billing.E001"]


@pytest.mark.parametrize("secret", ["", KEY, "whsec_"])
def test_without_the_webhooks_secret_payments_would_not_be_noticed(settings: LazySettings, secret: str) -> None:
    assert problems(settings, KEY, secret) == ["billing.E002"]


def test_the_missing_package_is_named(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert problems(settings, KEY, SECRET) == ["billing.E003"]


@pytest.mark.parametrize(("key", "cautions"), [("sk_test_0123456789", ["billing.W001"]), (KEY, []), ("", [])])
def test_a_test_key_in_earnest_is_cautioned_against(settings: LazySettings, key: str, cautions: list[str]) -> None:
    settings.STRIPE_SECRET_KEY = key
    assert [message.id for message in checks.check_test_key(None)] == cautions
