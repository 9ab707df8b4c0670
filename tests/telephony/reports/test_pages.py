"""The pages of usage and costs: what they add up, where each number leads, and the file they make."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from accounts.models import Organization, User
from telephony.models import Call
from telephony.tasks import roll_up_usage
from tests.builder.pages import html
from tests.conftest import AgentFactory, CallFactory, ClientFactory, VersionFactory
from tests.facts import used

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.fixture
def calls(call_factory: CallFactory, version_factory: VersionFactory, agent_factory: AgentFactory) -> dict[str, Call]:
    """In November: two calls of Reception, one of them over a number, and one of Sales; in October one of Sales."""
    reception, sales = version_factory(), version_factory(agent_factory("Sales"))

    def make(version: Any, month: int, day: int, reason: str, **facts: Any) -> Call:
        started = datetime(2026, month, day, 12, tzinfo=UTC)
        call = call_factory(version, started_at=started, end_reason=reason)
        used(call, **facts)
        return call

    made = {
        "web": make(reception, 11, 3, "caller_ended"),
        "phone": make(reception, 11, 3, "caller_ended", seconds=600, number="+15550100", direction="inbound"),
        "sales": make(sales, 11, 5, "error", seconds=30),
        "october": make(sales, 10, 9, "error"),
    }
    roll_up_usage()
    return made


@pytest.fixture
def client(client_for: ClientFactory, viewer: User) -> Client:
    return client_for(viewer)


def page(client: Client, workspace: Organization, name: str = "usage", **query: str) -> str:
    with time_machine.travel(NOW, tick=False):
        return html(client.get(reverse(name, args=[workspace.slug]), query))


def words(markup: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup)).strip())


def rows(text: str, table: str) -> dict[str, tuple[list[str], str]]:
    """The rows of a table by their first cell: the other cells, and where the row leads."""
    body = re.search(rf'id="{table}".*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    assert body is not None
    found = {}
    for row in re.findall(r"<tr.*?</tr>", body[1], re.DOTALL):
        cells = [words(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]
        link = re.search(r'href="([^"]+)"', row)
        found[cells[0]] = (cells[1:], unescape(link[1]) if link else "")
    return found


def listed(client: Client, address: str) -> set[str]:
    """The calls in the list at an address."""
    return set(re.findall(r"/calls/(call_\w+)/", html(client.get(address))))


def test_the_days_of_the_month_add_up(client: Client, workspace: Organization, calls: dict[str, Call]) -> None:
    days = rows(page(client, workspace), "by-time")
    assert len(days) == 20
    assert days["Tue 3 Nov"][0] == ["2", "11.0", "$0.86"]
    assert days["Wed 4 Nov"][0] == ["0", "0.0", "$0.00"]


@pytest.mark.parametrize(
    ("by", "row", "cells", "behind"),
    [
        ("agent", "Reception", ["2", "11.0"], {"web", "phone"}),
        ("agent", "Sales", ["1", "0.5"], {"sales"}),
        ("version", "Sales v1", ["1", "0.5"], {"sales"}),
        ("number", "+15550100", ["1", "10.0"], {"phone"}),
        ("direction", "Inbound", ["1", "10.0"], {"phone"}),
        ("direction", "Browser", ["2", "1.5"], {"web", "sales"}),
    ],
)
def test_every_number_leads_to_the_calls_behind_it(
    by: str,
    row: str,
    cells: list[str],
    behind: set[str],
    client: Client,
    workspace: Organization,
    calls: dict[str, Call],
) -> None:
    found, link = rows(page(client, workspace, by=by), "by-group")[row]
    assert found[:2] == cells
    assert listed(client, link) == {calls[name].pk for name in behind}


def test_a_day_and_a_component_lead_to_their_calls(
    client: Client, workspace: Organization, calls: dict[str, Call]
) -> None:
    days = rows(page(client, workspace), "by-time")
    assert listed(client, days["Thu 5 Nov"][1]) == {calls["sales"].pk}
    components = rows(page(client, workspace, by="capability"), "by-component")
    assert listed(client, components["Telephony: telephony"][1]) == {calls["phone"].pk}
    cells, link = components["Voice: speech made by a provider"]
    assert cells[:4] == ["Cartesia · sonic-3.6", "3", "1,800 characters", "$0.0706"]
    assert listed(client, link) == {calls[name].pk for name in ("web", "phone", "sales")}


def test_a_filter_that_a_link_has_set_is_shown_and_can_be_taken_away(
    client: Client, workspace: Organization, calls: dict[str, Call]
) -> None:
    _, link = rows(page(client, workspace, by="number"), "by-group")["+15550100"]
    text = html(client.get(link))
    assert "Number +15550100" in text
    without = re.search(r'href="([^"]+)" aria-label="Without: Number', text)
    assert without is not None
    assert listed(client, unescape(without[1])) == {calls[name].pk for name in ("web", "phone", "sales")}


def test_the_period_and_the_agent_narrow_the_page(
    client: Client, workspace: Organization, calls: dict[str, Call]
) -> None:
    october = rows(page(client, workspace, period="last_month"), "by-group")
    assert {name: cells[0] for name, (cells, _) in october.items()} == {"Sales": "1"}
    custom = page(client, workspace, period="custom", start="2026-11-03", end="2026-11-04")
    assert len(rows(custom, "by-time")) == 2
    sales = page(client, workspace, agent=calls["sales"].agent_id)
    assert set(rows(sales, "by-group")) == {"Sales"}


def test_a_long_period_is_shown_by_month(client: Client, workspace: Organization, calls: dict[str, Call]) -> None:
    text = page(client, workspace, period="365")
    months = rows(text, "by-time")
    assert list(months)[-2:] == ["October 2026", "November 2026"]
    assert len(months) == 13
    assert months["October 2026"][0][0] == "1"
    cells, link = months["November 2026"]
    assert cells[:2] == ["3", "11.5"]
    assert listed(client, link) == {calls[name].pk for name in ("web", "phone", "sales")}
    assert 'datetime="2026-11"' in text
    assert "interval=month" in unescape(text)
    assert "'interval': 'month'" in unescape(text)


@pytest.mark.parametrize(
    "query",
    [
        {"period": "custom"},
        {"period": "custom", "start": "2026-11-05", "end": "2026-11-01"},
        {"period": "custom", "start": "2020-11-05", "end": "2026-11-01"},
        {"period": "forever"},
        {"agent": "agent_of_somebody_else"},
        {"by": "hat"},
    ],
)
def test_what_is_no_period_shows_the_month(
    query: dict[str, str], client: Client, workspace: Organization, calls: dict[str, Call]
) -> None:
    assert len(rows(page(client, workspace, **query), "by-time")) == 20


def test_an_empty_month_says_what_to_do(client: Client, workspace: Organization) -> None:
    assert "No calls in these days" in page(client, workspace)
    assert "No calls in these days" in page(client, workspace, "costs")


def test_the_request_behind_the_page_can_be_copied(
    client: Client, workspace: Organization, calls: dict[str, Call]
) -> None:
    text = unescape(page(client, workspace))
    assert "/usage/agents?start_ts=2026-11-01T00%3A00%3A00Z&end_ts=2026-11-21T00%3A00%3A00Z&interval=day" in text
    assert "from cartesia import Cartesia" in text


def saved(client: Client, workspace: Organization, **query: str) -> list[dict[str, str]]:
    async def whole(pieces: Any) -> bytes:
        return b"".join([piece async for piece in pieces])

    with time_machine.travel(NOW, tick=False):
        response = client.get(reverse("usage_csv", args=[workspace.slug]), query)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(async_to_sync(whole)(response.streaming_content).decode().splitlines()))  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_the_file_has_the_same_sums(client: Client, workspace: Organization, calls: dict[str, Call]) -> None:
    lines = saved(client, workspace)
    assert [line["calls"] for line in lines if line["number"]] == ["1"]
    assert sum(int(line["seconds"]) for line in lines) == 690
    assert {line["agent"]: line["version"] for line in lines} == {"Reception": "v1", "Sales": "v1"}
    assert [line["platform_usd"] for line in lines if line["number"]] == ["0.740000"]
    components = saved(client, workspace, by="capability")
    assert {line["paid_by"] for line in components} == {"platform", "own account"}
    assert {line["meter"] for line in components} >= {"agent_seconds", "telephony_seconds", "stt_ms"}


@pytest.mark.django_db(transaction=True)
def test_no_name_becomes_a_formula(client: Client, workspace: Organization, calls: dict[str, Call]) -> None:
    agent = calls["sales"].agent
    agent.name = "=HYPERLINK(1)"
    agent.save()
    assert "'=HYPERLINK(1)" in {line["agent"] for line in saved(client, workspace)}


def test_costs_are_told_by_how_calls_ended(client: Client, workspace: Organization, calls: dict[str, Call]) -> None:
    found = rows(page(client, workspace, "costs"), "by-outcome")
    cells, link = found["Caller hung up"]
    assert cells == ["2", "11", "$0.86", "$0.4282", "$0.0778"]
    assert listed(client, link) == {calls["web"].pk, calls["phone"].pk}
    assert listed(client, found["Failed"][1]) == {calls["sales"].pk}


def test_the_same_calls_are_priced_with_other_models(
    client: Client, workspace: Organization, calls: dict[str, Call]
) -> None:
    query = {"stt": "deepgram:flux-general-en", "llm": "anthropic:claude-haiku-4-5", "tts": "local:"}
    found = {name: cells for name, (cells, _) in rows(page(client, workspace, "costs", **query), "what-if").items()}
    # 120 s of hearing at $0.0065 a minute instead of $0.0048; 9,000 tokens in at $1 a million and 450 out at $5.
    assert found["Speech recognition"] == ["$0.0096", "$0.013", "+$0.0034"]
    assert found["Language model"] == ["$0.0043", "$0.0113", "+$0.0069"]
    assert found["Voice"] == ["$0.0706", "$0.00", "-$0.0706"]
    assert found["Agent"][2] == "±$0.00"


def test_without_a_choice_nothing_is_compared(client: Client, workspace: Organization, calls: dict[str, Call]) -> None:
    assert "Difference" not in page(client, workspace, "costs")
    assert "Difference" not in page(client, workspace, "costs", llm="nobody:nothing")
