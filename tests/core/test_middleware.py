"""What every response carries."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from core.middleware import RequestIdMiddleware


def test_every_response_names_its_request() -> None:
    names = {Client().get("/healthz")["X-Request-ID"] for _ in range(2)}
    assert len(names) == 2
    assert all(str(uuid.UUID(name)) == name for name in names)


def test_a_proxy_s_name_for_the_request_is_kept() -> None:
    assert Client().get("/healthz", headers={"X-Request-ID": "proxy-0123.abc"})["X-Request-ID"] == "proxy-0123.abc"


@pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f", "<script>alert(1)</script>", "naïve-name-1", ""])
def test_a_name_that_is_no_sensible_one_is_replaced(given: str) -> None:
    request = RequestFactory().get("/")
    request.META["HTTP_X_REQUEST_ID"] = given
    response = RequestIdMiddleware(lambda request: HttpResponse())(request)
    assert str(uuid.UUID(response["X-Request-ID"])) == response["X-Request-ID"]


def test_log_lines_carry_the_name_while_the_request_runs_and_not_after() -> None:
    seen: dict[str, Any] = {}

    def view(request: HttpRequest) -> HttpResponse:
        seen.update(structlog.contextvars.get_contextvars())
        return HttpResponse()

    response = RequestIdMiddleware(view)(RequestFactory().get("/"))
    assert seen["request_id"] == response["X-Request-ID"]
    assert "request_id" not in structlog.contextvars.get_contextvars()


def test_only_the_microphone_may_be_asked_for() -> None:
    policy = Client().get("/healthz")["Permissions-Policy"]
    assert "microphone=(self)" in policy
    assert "camera=()" in policy
