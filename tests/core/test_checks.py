"""Bad configuration is told by `manage.py check`, with its mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks


def told(*, deploy: bool = False) -> set[str]:
    """The ids of core's complaints; each must say what to do."""
    found = [message for message in run_checks(include_deployment_checks=deploy) if str(message.id).startswith("core.")]
    assert all(message.hint or message.id == "core.E006" for message in found)
    return {str(message.id) for message in found}


def test_a_fresh_installation_has_nothing_to_complain_of() -> None:
    assert told() == set()


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("FIELD_ENCRYPTION_KEYS", ["not a key"], "core.E001"),
        ("MODELS_SOCKET", Path("/" + "x" * 120), "core.E002"),
        ("SITE_URL", "agents.example.org", "core.E003"),
        ("SITE_URL", "ftp://agents.example.org", "core.E003"),
        ("SITE_URL", "https://agents.example.org/app", "core.E003"),
        ("SITE_URL", "https://agents.example.org?x=1", "core.E003"),
        ("OUTBOUND_ALLOWED_PRIVATE_HOSTS", ["127.0.0.1"], "core.E004"),
        ("OUTBOUND_ALLOWED_PRIVATE_HOSTS", ["ollama:http"], "core.E004"),
        ("OUTBOUND_ALLOWED_PRIVATE_HOSTS", ["http://ollama:11434/"], "core.E004"),
        ("OUTBOUND_ALLOWED_PRIVATE_HOSTS", ["http://ollama:11434"], "core.E004"),
        ("LLM", "remote", "core.E005"),
        ("LOG_FORMAT", "xml", "core.E005"),
        ("ON_ORGANIZATION_CREATED", ["builder.services.nothing_of_the_kind"], "core.E006"),
    ],
)
def test_a_bad_setting_is_told(settings: Any, name: str, value: Any, complaint: str) -> None:
    setattr(settings, name, value)
    assert told() == {complaint}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_URL", "https://agents.example.org"),
        ("SITE_URL", "http://192.168.1.5:8000"),
        ("OUTBOUND_ALLOWED_PRIVATE_HOSTS", ["127.0.0.1:11434", "ollama:11434", "[::1]:8080"]),
    ],
)
def test_a_good_setting_is_not(settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)
    assert told() == set()


def test_a_deployment_without_https_is_warned(settings: Any) -> None:
    settings.HTTPS = False
    assert told(deploy=True) == {"core.W001"}
    settings.HTTPS = True
    assert told(deploy=True) == set()
