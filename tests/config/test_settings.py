from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]

LoadSettings = Callable[..., dict[str, Any]]


@pytest.fixture
def load_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadSettings:
    """Runs a copy of the settings in an empty folder, with nothing but the given variables in the environment."""

    def load(*, command: str = "shell", dotenv: str = "", **variables: str) -> dict[str, Any]:
        (tmp_path / "site" / "config").mkdir(parents=True, exist_ok=True)
        copy = Path(shutil.copy(ROOT / "config/settings.py", tmp_path / "site" / "config"))
        (tmp_path / "site" / ".env").write_text(dotenv)
        monkeypatch.setattr(sys, "argv", ["manage.py", command])
        settings: dict[str, Any] = {"__name__": "settings", "__file__": str(copy)}
        environment = {"HOME": str(tmp_path), **variables}
        with mock.patch.dict(os.environ, environment, clear=True):
            exec(compile(copy.read_text(), copy, "exec"), settings)
        return settings

    return load


def test_nothing_need_be_set(load_settings: LoadSettings, tmp_path: Path) -> None:
    settings = load_settings()
    assert settings["CALLWRIGHT_HOME"] == tmp_path / "site" / "var"
    assert settings["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert (settings["HOST"], settings["PORT"], settings["LLM"]) == ("127.0.0.1", 8000, "local")
    assert settings["DEBUG"] is False


def test_secrets_are_made_once_and_only_their_owner_can_read_them(load_settings: LoadSettings) -> None:
    first, second = load_settings(), load_settings()
    assert len(first["SECRET_KEY"]) >= 50
    Fernet(first["FIELD_ENCRYPTION_KEYS"][0])
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS"):
        assert first[name] == second[name]
    for file in ("secret_key", "field_encryption_keys"):
        assert stat.S_IMODE((first["CALLWRIGHT_HOME"] / file).stat().st_mode) == 0o600
    assert stat.S_IMODE(first["CALLWRIGHT_HOME"].stat().st_mode) == 0o700


def test_given_secrets_win_and_may_come_from_files(load_settings: LoadSettings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file")
    settings = load_settings(SECRET_KEY_FILE=str(tmp_path / "secret"), FIELD_ENCRYPTION_KEYS="new,old")
    assert settings["SECRET_KEY"] == "from a file"
    assert settings["FIELD_ENCRYPTION_KEYS"] == ["new", "old"]
    assert not (settings["CALLWRIGHT_HOME"] / "secret_key").exists()


def test_the_file_beside_manage_py_is_read_and_the_environment_wins(load_settings: LoadSettings) -> None:
    settings = load_settings(dotenv="PORT=9001\nLLM=none\n", PORT="9002")
    assert (settings["PORT"], settings["LLM"]) == (9002, "none")


def test_a_home_that_cannot_be_written_to_is_one_line(load_settings: LoadSettings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as caught:
        load_settings(CALLWRIGHT_HOME=str(tmp_path / "file" / "var"))
    message = str(caught.value)
    assert message.startswith(f"callwright: Cannot write to {tmp_path / 'file' / 'var'}: ")
    assert message.endswith("Set CALLWRIGHT_HOME to a folder you own.")


def test_it_answers_to_the_names_of_this_machine_only(
    load_settings: LoadSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = ["127.0.0.1", "[::1]", "localhost"]
    assert load_settings()["ALLOWED_HOSTS"] == local
    assert load_settings(HOST="10.0.0.7")["ALLOWED_HOSTS"] == sorted([*local, "10.0.0.7"])
    assert load_settings(HOST="fd00::7")["ALLOWED_HOSTS"] == sorted([*local, "[fd00::7]"])
    assert "agents.example.org" in load_settings(SITE_URL="https://agents.example.org")["ALLOWED_HOSTS"]
    assert load_settings(ALLOWED_HOSTS="a.example,b.example")["ALLOWED_HOSTS"] == ["a.example", "b.example"]

    monkeypatch.setattr("socket.gethostname", lambda: "laptop")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("192.168.1.5", 0))])
    assert load_settings(HOST="0.0.0.0")["ALLOWED_HOSTS"] == sorted([*local, "laptop", "192.168.1.5"])


def test_an_https_address_makes_cookies_secure(load_settings: LoadSettings) -> None:
    assert load_settings(SITE_URL="http://agents.example.org")["SESSION_COOKIE_SECURE"] is False
    settings = load_settings(SITE_URL="https://agents.example.org/")
    assert settings["SESSION_COOKIE_SECURE"] is settings["CSRF_COOKIE_SECURE"] is True
    assert settings["SECURE_HSTS_SECONDS"] > 0
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://agents.example.org"]


def test_a_postgres_is_reached_through_a_pool(load_settings: LoadSettings) -> None:
    database = load_settings(DATABASE_URL="postgres://user:secret@db/callwright", DATABASE_POOL_SIZE="5")["DATABASES"]
    assert database["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert database["default"]["CONN_MAX_AGE"] == 0
    assert database["default"]["OPTIONS"]["pool"]["max_size"] == 5


def test_serve_runs_a_valkey_of_its_own_unless_it_is_given_one(load_settings: LoadSettings) -> None:
    settings = load_settings(command="serve")
    socket = settings["CALLWRIGHT_HOME"] / "valkey.sock"
    assert settings["EMBEDDED_VALKEY"] is True
    assert settings["REDIS_URL"] == f"unix://{socket}"
    assert settings["CELERY_BROKER_URL"] == f"redis+socket://{socket}"
    settings = load_settings(command="serve", REDIS_URL="redis://cache:6379/0")
    assert settings["EMBEDDED_VALKEY"] is False
    assert settings["CELERY_BROKER_URL"] == "redis://cache:6379/0"
    assert settings["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"][0]["socket_timeout"] is None


def test_without_the_valkey_wheel_serve_queues_in_files(
    load_settings: LoadSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    settings = load_settings(command="serve")
    assert settings["EMBEDDED_VALKEY"] is False
    assert settings["CELERY_BROKER_URL"] == "filesystem://"
    assert settings["CELERY_TASK_ALWAYS_EAGER"] is False
    assert settings["CHANNEL_LAYERS"]["default"]["BACKEND"].endswith("InMemoryChannelLayer")
    folders = settings["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert folders["data_folder_in"] == folders["data_folder_out"] == str(settings["CALLWRIGHT_HOME"] / "queue")


def test_other_commands_do_background_work_at_once(load_settings: LoadSettings) -> None:
    settings = load_settings(command="shell")
    assert settings["REDIS_URL"] == ""
    assert settings["CELERY_TASK_ALWAYS_EAGER"] is True


def test_a_mail_server_brings_verification_of_addresses(load_settings: LoadSettings) -> None:
    assert load_settings()["ACCOUNT_EMAIL_VERIFICATION"] == "none"
    settings = load_settings(EMAIL_URL="smtp+tls://user:secret@mail.example.org:587")
    assert settings["ACCOUNT_EMAIL_VERIFICATION"] == "optional"
    assert (settings["EMAIL_HOST"], settings["EMAIL_USE_TLS"]) == ("mail.example.org", True)
