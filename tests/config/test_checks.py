from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks


def messages(ident: str, *, deploy: bool = False) -> list[CheckMessage]:
    return [message for message in run_checks(include_deployment_checks=deploy) if message.id == ident]


def test_a_fresh_installation_has_nothing_to_complain_of() -> None:
    assert run_checks() == []


@pytest.mark.parametrize(
    ("ident", "name", "wrong", "said"),
    [
        ("core.E001", "FIELD_ENCRYPTION_KEYS", ["nonsense"], "Key 1 of FIELD_ENCRYPTION_KEYS"),
        ("core.E002", "MODELS_SOCKET", Path("/srv") / ("x" * 100) / "models.sock", "too long to hold a socket"),
        ("core.E003", "SITE_URL", "agents.example.org", "'agents.example.org'"),
        ("core.E003", "SITE_URL", "https://example.org/agents", "not the address of a site"),
        ("core.E004", "OUTBOUND_ALLOWED_PRIVATE_HOSTS", ["127.0.0.1"], "'127.0.0.1', which is not host:port"),
        ("core.E005", "LLM", "gpt", "LLM is 'gpt'"),
        ("core.E005", "LOG_FORMAT", "xml", "LOG_FORMAT is 'xml'"),
    ],
)
def test_a_wrong_setting_is_an_error_with_its_mend(settings: Any, ident: str, name: str, wrong: Any, said: str) -> None:
    setattr(settings, name, wrong)
    [message] = messages(ident)
    assert message.is_serious()
    assert said in message.msg
    assert message.hint


def test_a_hook_that_cannot_be_imported_is_an_error(settings: Any) -> None:
    settings.ON_ORGANIZATION_CREATED = ["builder.services.no_such_thing"]
    [message] = messages("core.E006")
    assert "builder.services.no_such_thing" in message.msg


def test_deployment_without_https_is_warned_of(settings: Any) -> None:
    settings.HTTPS = False
    [message] = messages("core.W001", deploy=True)
    assert "SITE_URL=https://" in str(message.hint)
    settings.HTTPS = True
    assert messages("core.W001", deploy=True) == []
