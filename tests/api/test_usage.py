"""GET /usage/agents and /usage/credits, in Cartesia's shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from accounts.models import ApiKey, Organization
from billing.usage.services import Fact, usage_charge, usage_record
from core.snippets import Snippet
from telephony.tasks import roll_up_usage
from tests.api.conftest import KeyFactory
from tests.conftest import CallFactory
from tests.facts import used

pytestmark = pytest.mark.django_db

SPAN = {"start_ts": "2026-11-02T08:00:00Z", "end_ts": "2026-11-04T00:00:00Z"}


def noon(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=UTC)


def spend(workspace: Organization, day: int, credits_spent: int, **fields: Any) -> None:
    """So many characters of the models' own API, which take a credit each."""
    fact = Fact(
        key=f"tts:{day}:{fields}",
        meter="tts_characters",
        quantity=credits_spent,
        occurred_at=noon(day),
        **{"capability": "tts", **fields},
    )
    usage_charge(organization=workspace, events=usage_record(organization=workspace, facts=[fact]))


def test_agents_are_told_by_day_with_empty_ones_as_zero(admin_client: Client, call_factory: CallFactory) -> None:
    used(call_factory(started_at=noon(2)), seconds=600, number="+15550100")
    used(call_factory(started_at=noon(2)), seconds=61)
    roll_up_usage()
    answer = admin_client.get("/usage/agents", {**SPAN, "interval": "day"}).json()
    # 600 s at $0.06 and $0.014 a minute are $0.74; 61 s are 6.1 cents; and what vendors charge through the platform is
    # 0.32 and 2.352 cents for each call.
    assert answer == {
        "data": [
            {
                "start_ts": "2026-11-02T00:00:00Z",
                "end_ts": "2026-11-03T00:00:00Z",
                "cents": 85,
                "minutes": 11.02,
                "calls": 2,
            },
            {
                "start_ts": "2026-11-03T00:00:00Z",
                "end_ts": "2026-11-04T00:00:00Z",
                "cents": 0,
                "minutes": 0.0,
                "calls": 0,
            },
        ]
    }


def test_without_an_interval_there_is_one_bucket_of_whole_days(admin_client: Client) -> None:
    answer = admin_client.get(
        "/usage/agents", {"start_ts": "2026-11-02T23:00:00-02:00", "end_ts": "2026-11-04T00:00:01Z"}
    ).json()
    assert [(bucket["start_ts"], bucket["end_ts"]) for bucket in answer["data"]] == [
        ("2026-11-03T00:00:00Z", "2026-11-05T00:00:00Z")
    ]


@pytest.mark.parametrize(
    ("interval", "starts"),
    [("week", ["2026-10-29", "2026-11-02", "2026-11-09"]), ("month", ["2026-10-29", "2026-11-01"])],
)
def test_weeks_and_months_are_those_of_the_calendar(interval: str, starts: list[str], admin_client: Client) -> None:
    span = {"start_ts": "2026-10-29T00:00:00Z", "end_ts": "2026-11-11T00:00:00Z", "interval": interval}
    answer = admin_client.get("/usage/agents", span).json()
    assert [bucket["start_ts"][:10] for bucket in answer["data"]] == starts
    assert answer["data"][-1]["end_ts"] == "2026-11-11T00:00:00Z"


def test_credits_are_told_by_day(admin_client: Client, workspace: Organization) -> None:
    spend(workspace, 2, 1200)
    roll_up_usage()
    answer = admin_client.get("/usage/credits", {**SPAN, "interval": "day"}).json()
    assert [bucket["credits"] for bucket in answer["data"]] == [1200, 0]
    assert set(answer) == {"data"}


def test_credits_are_parted_with_daily_buckets(admin_client: Client, workspace: Organization) -> None:
    key = ApiKey.objects.get()
    spend(workspace, 2, 10, model="sonic-3.6", voice="skylar", api_key=key.pk)
    spend(workspace, 3, 5, model="sonic-3.5", voice="skylar")
    roll_up_usage()

    def series(group: str) -> list[tuple[str, str | None, list[int]]]:
        answer = admin_client.get("/usage/credits", {**SPAN, "group_by": group}).json()
        assert answer["group_by"] == group
        return [(each["id"], each.get("label"), [b["credits"] for b in each["buckets"]]) for each in answer["data"]]

    assert series("capability") == [("tts", None, [10, 5])]
    assert series("model") == [("sonic-3.5", None, [0, 5]), ("sonic-3.6", None, [10, 0])]
    assert series("voice") == [("skylar", None, [10, 5])]
    assert series("api_key") == [("unnamed_key", None, [0, 5]), (key.pk, "Test", [10, 0])]
    only = admin_client.get("/usage/credits", {**SPAN, "api_key_id": key.pk}).json()
    assert [bucket["credits"] for bucket in only["data"]] == [10]


@pytest.mark.parametrize(
    "wrong",
    [
        {"end_ts": SPAN["start_ts"]},
        {"start_ts": "2025-11-02T00:00:00Z"},
        {"start_ts": "2026-11-02T08:00:00"},
        {"interval": "hour"},
        {"end_ts": "9999-12-31T23:59:59Z", "start_ts": "9999-12-31T00:00:00Z"},
    ],
)
def test_what_cannot_be_answered_is_refused(wrong: dict[str, str], admin_client: Client) -> None:
    response = admin_client.get("/usage/agents", {**SPAN, **wrong})
    assert response.status_code == 400
    assert response.json()["error_code"] == "invalid_request"


@pytest.mark.parametrize(
    "wrong",
    [{"group_by": "hat"}, {"group_by": "voice", "interval": "week"}, {"group_by": "api_key", "api_key_id": "k"}],
)
def test_credits_are_not_parted_in_every_way(wrong: dict[str, str], admin_client: Client) -> None:
    assert admin_client.get("/usage/credits", {**SPAN, **wrong}).status_code == 400


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Django's threaded test server keeps the client's socket
@pytest.mark.parametrize("address", ["/usage/agents", "/usage/credits"])
def test_the_official_sdk_reads_what_pages_offer_to_copy(
    address: str, api_key: KeyFactory, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no methods for usage, and reaches it as any other address."""
    pytest.importorskip("cartesia.resources")  # not "cartesia": the tests of that vendor may go by that name
    monkeypatch.setenv("CALLWRIGHT_ADMIN_KEY", api_key())
    snippet = Snippet(live_server.url, address, {**SPAN, "interval": "day"}, "CALLWRIGHT_ADMIN_KEY")
    names: dict[str, Any] = {}
    exec(snippet.python, names)
    assert [bucket["start_ts"] for bucket in names["found"]["data"]] == ["2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"]
