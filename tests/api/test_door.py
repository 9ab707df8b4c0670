"""Who may ask the API, how, and what is said to those who may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiKey, Organization, User
from api import versions
from api.urls import api
from core.errors import ApiError, ErrorCode
from core.snippets import VERSION
from tests.api.conftest import KeyFactory
from tests.conftest import ClientFactory

pytestmark = pytest.mark.django_db

SNAPSHOT = Path(__file__).with_name("openapi.json")
SHAPE = {"error_code", "title", "message", "request_id", "doc_url"}
URL = "/usage/agents"


def operations() -> Iterator[tuple[str, str]]:
    """Method and path of everything that the API does; ids are those of nobody."""
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items():
        for method in methods:
            yield method.upper(), path.replace("{", "").replace("}", "")


EVERY = sorted(operations())


def test_the_openapi_is_the_one_that_was_agreed_on() -> None:
    """Change it knowingly: `python -m tests.api.snapshot` writes it anew."""
    assert json.loads(json.dumps(api.get_openapi_schema(path_prefix=""))) == json.loads(SNAPSHOT.read_text())


def test_the_openapi_is_served(client_for: ClientFactory) -> None:
    answer = client_for().get("/openapi.json").json()
    assert set(answer["paths"]) == {path for _, path in operations() if "_id" not in path} | {
        path for path in answer["paths"] if "{" in path
    }


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_every_address_takes_a_key(method: str, path: str, client_for: ClientFactory, owner: User) -> None:
    for client in (Client(), client_for(owner), Client(headers={"Authorization": "Bearer sk_cw_nonsense"})):
        response = client.generic(method, path)
        assert response.status_code == 401
        assert response.json()["error_code"] == "not_authenticated"
        assert set(response.json()) == SHAPE


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_every_address_takes_one_kind_of_key(method: str, path: str, api_key: KeyFactory) -> None:
    answers = [Client(headers={"X-API-Key": api_key(kind)}).generic(method, path) for kind in ("admin", "standard")]
    refused = [answer for answer in answers if answer.status_code == 403]
    assert len(refused) == 1
    assert refused[0].json()["title"] == "Another kind of key"


@pytest.mark.parametrize("header", ["Authorization: Bearer {}", "Authorization: bearer {}", "X-API-Key: {}"])
def test_a_key_is_taken_from_either_header(header: str, api_key: KeyFactory) -> None:
    name, _, value = header.format(api_key()).partition(": ")
    assert Client(headers={name: value}).get(URL).status_code == 200


def test_a_key_in_the_address_is_not_taken(api_key: KeyFactory) -> None:
    """It would stand in every log on the way."""
    assert Client().get(URL, {"api_key": api_key(), "access_token": api_key()}).status_code == 401


def test_a_revoked_key_is_refused(admin_client: Client) -> None:
    assert admin_client.get(URL).status_code == 200
    key = ApiKey.objects.get()
    key.revoked_at = key.created_at
    key.save()
    assert admin_client.get(URL).status_code == 401


@pytest.mark.parametrize("version", [*versions.KNOWN, "2027-01-01", None])
def test_versions_known_and_to_come_are_taken(version: str | None, api_key: KeyFactory) -> None:
    headers = {"X-API-Key": api_key(), **({"Cartesia-Version": version} if version else {})}
    assert Client(headers=headers).get(URL).status_code == 200


@pytest.mark.parametrize("version", ["2023-01-01", "newest", "2026-08-14T00:00:00Z", ""])
def test_no_version_is_refused_in_words(version: str, api_key: KeyFactory) -> None:
    response = Client(headers={"X-API-Key": api_key(), "Cartesia-Version": version}).get(URL)
    assert response.status_code == 400
    assert "2026-08-14" in response.json()["message"]


def test_a_client_gets_the_version_of_its_time(rf: Any) -> None:
    asked = {"2026-02-28": "2025-04-16", "2026-03-01": "2026-03-01", "2030-01-01": versions.NEWEST}
    assert {date: versions.version_of(rf.get("/", headers={"Cartesia-Version": date})) for date in asked} == asked
    assert versions.NEWEST == VERSION


def test_old_versions_get_errors_as_text() -> None:
    response = Client(headers={"Cartesia-Version": "2025-04-16"}).get(URL)
    assert response.status_code == 401
    assert response.content.decode().startswith("No valid API key: ")


def test_errors_carry_the_id_of_the_request(admin_client: Client) -> None:
    response = admin_client.get(URL, {"start_ts": "yesterday"}, headers={"X-Request-ID": "mine-12345"})
    assert response.status_code == 400
    assert response.json()["request_id"] == "mine-12345" == response["X-Request-ID"]
    assert "start_ts" in response.json()["message"]


def test_another_method_and_another_address_have_the_same_shape(admin_client: Client) -> None:
    for response, code in ((admin_client.post(URL), "method_not_allowed"), (admin_client.get(f"{URL}/x"), "not_found")):
        assert response.json()["error_code"] == code
        assert set(response.json()) == SHAPE


def test_a_break_is_told_without_its_insides(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("api.routers.usage.usage_by_time", broken)
    response = admin_client.get(URL)
    assert response.status_code == 500
    assert set(response.json()) == SHAPE
    assert "swordfish" not in response.content.decode()


@pytest.mark.parametrize(
    ("code", "status"),
    [(ErrorCode.QUOTA_EXCEEDED, 402), (ErrorCode.CONCURRENCY_LIMITED, 429), (ErrorCode.RATE_LIMITED, 429)],
)
def test_what_a_plan_does_not_allow_is_refused_with_the_reason(
    code: ErrorCode, status: int, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise ApiError(code, "Too much", "The plan Pro allows 12 calls at once.")

    monkeypatch.setattr("api.routers.usage.usage_by_time", refuse)
    response = admin_client.get(URL)
    assert response.status_code == status
    assert set(response.json()) == SHAPE
    assert response.json()["error_code"] == code
    assert response.json()["message"] == "The plan Pro allows 12 calls at once."


def test_who_asks_too_often_is_told_when_to_come_back(admin_client: Client, api_key: KeyFactory) -> None:
    for _ in range(120):
        assert admin_client.get(URL).status_code == 200
    refused = admin_client.get(URL)
    assert refused.status_code == 429
    assert refused.json()["error_code"] == "rate_limited"
    assert int(refused["Retry-After"]) >= 1
    assert Client(headers={"X-API-Key": api_key()}).get(URL).status_code == 200


def test_a_key_sees_its_own_workspace_only(api_key: KeyFactory, other_workspace: Organization, stranger: User) -> None:
    other = Client(headers={"X-API-Key": api_key(organization=other_workspace, actor=stranger)})
    assert other.get(URL).json()["data"][0]["calls"] == 0
