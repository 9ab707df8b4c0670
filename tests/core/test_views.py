"""Health, for whoever watches over the process."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client


def test_a_process_that_answers_is_alive_even_without_a_database() -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.content, response["Content-Type"]) == (200, b"ok\n", "text/plain")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_it_is_ready_when_the_database_answers() -> None:
    assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db
def test_it_is_not_ready_when_the_database_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def cursor(*args: Any) -> Any:
        raise OperationalError("gone, with the password in the message")

    monkeypatch.setattr(connection, "cursor", cursor)
    response = Client().get("/readyz")
    assert (response.status_code, response.content) == (503, b"the database does not answer\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_only_look(path: str) -> None:
    assert Client().post(path).status_code == 405
