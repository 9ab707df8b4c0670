"""The one shape of what goes wrong, for programs, people and htmx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from core import errors
from core.errors import STATUS, ApiError, ErrorCode

HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


def failing(request: HttpRequest, how: str) -> HttpResponse:
    match how:
        case "api":
            raise ApiError(ErrorCode.CONFLICT, "Taken <b>", "Choose another name.", doc_url="/docs/names")
        case "missing":
            raise Http404
        case "denied":
            raise PermissionDenied("Ask Olive.")
        case "broken":
            raise RuntimeError("secret detail")
        case "large":
            raise RequestDataTooBig
        case "host":
            raise DisallowedHost
    return HttpResponse("fine")


urlpatterns = [path("fail/<str:how>/", failing)]
handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def test_the_codes_are_a_promise() -> None:
    assert {code.value: STATUS[code].value for code in ErrorCode} == {
        "invalid_request": 400,
        "validation_failed": 422,
        "not_authenticated": 401,
        "permission_denied": 403,
        "csrf_failed": 403,
        "not_found": 404,
        "method_not_allowed": 405,
        "stale_revision": 409,
        "conflict": 409,
        "request_too_large": 413,
        "rate_limited": 429,
        "quota_exceeded": 402,
        "concurrency_limited": 429,
        "models_loading": 503,
        "model_not_found": 400,
        "provider_failed": 502,
        "invalid_event": 400,
        "internal_error": 500,
    }


def test_a_program_gets_json(client: Client) -> None:
    response = client.get("/fail/api/", headers={"Accept": "application/json"})
    assert (response.status_code, response["Content-Type"]) == (409, "application/json")
    assert response.json() == {
        "error_code": "conflict",
        "title": "Taken <b>",
        "message": "Choose another name.",
        "request_id": response["X-Request-ID"],
        "doc_url": "/docs/names",
    }


def test_a_person_gets_a_page(client: Client) -> None:
    response = client.get("/fail/api/", headers={"Accept": HTML})
    page = response.content.decode()
    assert (response.status_code, response["Content-Type"]) == (409, "text/html; charset=utf-8")
    assert "<html" in page
    assert "Taken &lt;b&gt;" in page
    assert "Choose another name." in page
    assert response["X-Request-ID"] in page


def test_htmx_gets_a_fragment(client: Client) -> None:
    response = client.get("/fail/api/", headers={"Accept": "text/html, */*", "HX-Request": "true"})
    assert response.status_code == 409
    assert "<html" not in response.content.decode()
    assert "Choose another name." in response.content.decode()


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("missing", 404, "not_found"),
        ("denied", 403, "permission_denied"),
        ("broken", 500, "internal_error"),
        ("large", 413, "request_too_large"),
        ("host", 400, "invalid_request"),
    ],
)
def test_django_s_own_failures_take_the_same_way_out(client: Client, how: str, status: int, code: str) -> None:
    response = client.get(f"/fail/{how}/", headers={"Accept": "application/json"})
    assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert response.json()["request_id"] == response["X-Request-ID"]
    assert "secret detail" not in response.content.decode()
    page = client.get(f"/fail/{how}/", headers={"Accept": HTML})
    assert page.status_code == status
    assert "<html" in page.content.decode()
    assert "secret detail" not in page.content.decode()


def test_a_page_that_does_not_exist_is_one_of_them(client: Client) -> None:
    assert client.get("/nowhere/", headers={"Accept": "application/json"}).json()["error_code"] == "not_found"


def test_a_reason_that_was_given_is_told(client: Client) -> None:
    assert client.get("/fail/denied/", headers={"Accept": "application/json"}).json()["message"] == "Ask Olive."


def test_a_stale_form_is_told_to_reload() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/fail/none/", headers={"Accept": "application/json"})
    assert (response.status_code, response.json()["error_code"]) == (403, "csrf_failed")


def test_an_unknown_host_is_told_how_it_becomes_known(client: Client) -> None:
    response = client.get("/fail/none/", headers={"Host": "evil.example", "Accept": "application/json"})
    assert response.status_code == 400
    assert "'evil.example'" in response.json()["message"]
    assert "ALLOWED_HOSTS" in response.json()["message"]


@pytest.mark.parametrize(
    ("headers", "content_type", "expected"),
    [
        ({"Accept": HTML}, "", False),
        ({"Accept": "application/json"}, "", True),
        ({"Accept": "*/*"}, "", True),
        ({}, "", True),
        ({"Accept": "application/json, text/html;q=0.5"}, "", True),
        ({"Accept": "text/html, application/json;q=0.5"}, "", False),
        ({"Accept": HTML}, "application/json", True),
        ({"Accept": "application/json", "HX-Request": "true"}, "", False),
    ],
)
def test_who_asks_decides_the_form(headers: dict[str, str], content_type: str, expected: bool) -> None:
    request: Any = RequestFactory().post("/", "{}", content_type=content_type or "text/plain", headers=headers)
    request.htmx = headers.get("HX-Request") == "true"
    assert errors.wants_json(request) is expected


def test_an_error_prints_what_to_do() -> None:
    assert str(ApiError(ErrorCode.CONFLICT, "Taken", "Choose another.")) == "Taken: Choose another."
    assert json.dumps(ApiError(ErrorCode.CONFLICT, "Taken").as_dict("r-1")) == (
        '{"error_code": "conflict", "title": "Taken", "message": "", "request_id": "r-1", "doc_url": null}'
    )
