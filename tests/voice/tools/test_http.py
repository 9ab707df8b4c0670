"""Requests to an API by the model's wish, and what it is told of the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.voice.fakes import FakeControl
from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving
from voice.tools import Outcome, ToolError, ToolPolicy
from voice.tools.http import LARGEST, HttpRequest, HttpTool, Parameter

FREE = {"free": True, "slots": [{"time": "10:00"}, {"time": "11:30"}], "note": None}


def answering(status: int, body: Any, **headers: str) -> Handler:
    return lambda exchange: exchange.answer(status, body, **headers)


def saying(text: str) -> Handler:
    """Answers in plain text."""

    async def say(exchange: Exchange) -> None:
        await exchange.begin("text/plain")
        if text:
            await exchange.part(text.encode())
        await exchange.end()

    return say


async def cut(exchange: Exchange) -> None:
    exchange.cut()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:
        yield client


Ask = Callable[..., Awaitable[tuple[Outcome, FakeServer]]]


@pytest.fixture
def ask(client: httpx.AsyncClient) -> Ask:
    """Run a tool against a server with these handlers: what it gives, and what the server saw."""

    async def run(
        *handlers: Handler,
        arguments: dict[str, Any] | None = None,
        variables: dict[str, object] | None = None,
        path: str = "/slots",
        **request: Any,
    ) -> tuple[Outcome, FakeServer]:
        async with serving(*(handlers or (answering(200, FREE),))) as server:
            made = HttpRequest(**{"method": "GET", "url": server.url + path, **request})
            tool = HttpTool(name="slots", description="", request=made, client=client, policy=ToolPolicy())
            control = FakeControl()
            control.variables.update(variables or {})
            return await tool.run(arguments or {}, control), server

    return run


async def test_the_answer_is_told_in_few_signs(ask: Ask) -> None:
    outcome, server = await ask()
    assert outcome.text == '{"free":true,"slots":[{"time":"10:00"},{"time":"11:30"}]}'
    assert (server.requests[0].method, server.requests[0].path) == ("GET", "/v1/slots")


async def test_values_come_from_the_model_the_call_and_the_maker_of_the_tool(ask: Ask) -> None:
    _, server = await ask(
        method="POST",
        path="/{shop}/slots?for={{caller.name}}",
        arguments={"day": "Friday", "guest_count": 2, "tags": ["a", "b"], "shop": "main street/1"},
        variables={"caller": {"name": "Ann & Bob"}, "phone": "+4912"},
        headers={"X-Caller": "{{phone}}"},
        parameters=[
            Parameter(name="shop", where="path"),
            Parameter(name="day", where="query"),
            Parameter(name="tags", where="query", schema={"type": "array"}),
            Parameter(name="guest.count", schema={"type": "integer"}),
            Parameter(name="guest.phone", source="variable", value="phone"),
            Parameter(name="source", source="constant", value="phone call from {{phone}}"),
        ],
    )
    request = server.requests[0]
    assert request.path == "/v1/main%20street%2F1/slots?for=Ann+%26+Bob&day=Friday&tags=a&tags=b"
    assert request.headers["x-caller"] == "+4912"
    assert request.body == {"guest": {"count": 2, "phone": "+4912"}, "source": "phone call from +4912"}


async def test_the_model_is_asked_only_for_what_it_knows(client: httpx.AsyncClient) -> None:
    request = HttpRequest(
        method="GET",
        url="http://127.0.0.1",
        parameters=[
            Parameter(name="customer.name", schema={"type": "string", "description": "Full name."}),
            Parameter(name="note", required=False),
            Parameter(name="token", source="constant", value="x"),
        ],
    )
    tool = HttpTool(name="slots", description="Free slots.", request=request, client=client, policy=ToolPolicy())
    assert tool.schema.parameters == {
        "type": "object",
        "properties": {
            "customer_name": {"type": "string", "description": "Full name."},
            "note": {"type": "string"},
        },
        "required": ["customer_name"],
    }


async def test_an_optional_value_that_is_not_given_is_not_sent(ask: Ask) -> None:
    _, server = await ask(parameters=[Parameter(name="note", where="query", required=False)])
    assert server.requests[0].path == "/v1/slots"


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        ({"bearer": "{{token}}"}, "Bearer t0ken"),
        ({"basic": ("ann", "pass")}, "Basic YW5uOnBhc3M="),
        ({"headers": {"Authorization": "Key {{token}}"}}, "Key t0ken"),
    ],
)
async def test_the_service_knows_who_asks(ask: Ask, auth: dict[str, Any], sent: str) -> None:
    _, server = await ask(variables={"token": "t0ken"}, **auth)
    assert server.requests[0].headers["authorization"] == sent


async def test_parts_of_the_answer_become_variables(ask: Ask) -> None:
    outcome, _ = await ask(assign={"next": "slots.0.time", "second": "slots.1", "none": "slots.7.time"})
    assert outcome.variables == {"next": "10:00", "second": {"time": "11:30"}}


async def test_an_answer_without_words_is_done(ask: Ask) -> None:
    outcome, _ = await ask(saying(""))
    assert outcome.text == "Done."


# --- faults


async def test_what_may_work_a_moment_later_is_asked_again(ask: Ask) -> None:
    outcome, server = await ask(cut, answering(503, {"error": "busy"}), answering(200, FREE), retries=2)
    assert outcome.text.startswith('{"free":true')
    assert len(server.requests) == 3


@pytest.mark.parametrize("handler", [cut, answering(503, {"error": "busy"})])
async def test_what_may_have_had_its_effect_is_not_done_twice(ask: Ask, handler: Handler) -> None:
    seen: list[str] = []

    async def note(exchange: Exchange) -> None:
        seen.append(exchange.method)
        await handler(exchange)

    with pytest.raises(ToolError):
        await ask(note, method="POST", retries=3)
    assert seen == ["POST"]
    with pytest.raises(ToolError):
        await ask(note, method="POST", retries=1, repeatable=True)
    assert seen == ["POST"] * 3


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (answering(404, {"error": "No such day."}), 'refused with status 404: {"error": "No such day."}'),
        (answering(500, {"error": "x" * 900}), "refused with status 500"),
        (answering(302, {}, Location="http://elsewhere"), "at another address"),
        (answering(200, b"<html>Sign in</html>"), "a web page instead of data"),
        (answering(200, {"long": "x" * LARGEST}), "more than 64 KiB"),
        (cut, "broke off"),
    ],
)
async def test_what_goes_wrong_is_told_in_words(ask: Ask, handler: Handler, words: str) -> None:
    with pytest.raises(ToolError, match=words) as failure:
        await ask(handler, retries=0)
    assert len(str(failure.value)) < 400


async def test_an_answer_that_is_no_json_fills_no_variables(ask: Ask) -> None:
    assert (await ask(saying("At ten.")))[0].text == "At ten."
    with pytest.raises(ToolError, match="did not answer in JSON"):
        await ask(saying("At ten."), assign={"next": "slots"})


async def test_a_service_that_is_not_there_is_told(client: httpx.AsyncClient) -> None:
    request = HttpRequest(method="POST", url="http://127.0.0.1:9/x", retries=1)
    tool = HttpTool(name="x", description="", request=request, client=client, policy=ToolPolicy())
    with pytest.raises(ToolError, match="could not be reached"):
        await tool.run({}, FakeControl())


@pytest.mark.parametrize("path", ["/{{nothing}}", "/{day}"])
async def test_a_value_that_the_call_does_not_have_is_told(ask: Ask, path: str) -> None:
    with pytest.raises(ToolError, match="The call has no"):
        await ask(path=path, parameters=[Parameter(name="day", where="path", source="variable", value="day")])


async def test_a_value_cannot_lead_to_another_path(ask: Ask) -> None:
    with pytest.raises(ToolError, match="cannot be part of an address"):
        await ask(path="/{day}/x", arguments={"day": ".."}, parameters=[Parameter(name="day", where="path")])
