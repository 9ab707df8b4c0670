"""Text messages by the carriers' own protocols, and what is said when a carrier does not send them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import pytest

from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving
from voice.providers.base import ProviderError, Texting, TextMessage
from voice.providers.catalogue import vendor
from voice.providers.vendor import Account

SID, TOKEN = "AC" + "0" * 32, "very-secret-token"
MESSAGE = TextMessage(sender="+14155550100", to="+4930123456", text="See you at 17:30 & bring “tea”.")
TWILIO_SENT = {"sid": "SM123", "status": "queued", "error_code": None, "num_segments": "1"}
TELNYX_SENT = {"data": {"record_type": "message", "id": "40385f64", "to": [{"status": "queued"}]}}
SENT = {"twilio": (201, TWILIO_SENT), "telnyx": (200, TELNYX_SENT)}
CARRIERS = sorted(SENT)


def answering(status: int, body: object, **headers: str) -> Handler:
    return lambda exchange: exchange.answer(status, body, **headers)  # type: ignore[arg-type]


def account(carrier: str, server: FakeServer, key: str = TOKEN) -> Account:
    number = SID if carrier == "twilio" else ""
    return Account(base_url=server.url.removesuffix("/v1"), api_key=key, number=number, name="Carrier")


@asynccontextmanager
async def sending(carrier: str, *handlers: Handler, key: str = TOKEN) -> AsyncIterator[tuple[Texting, FakeServer]]:
    make = vendor(carrier).sms
    assert make is not None
    async with serving(*handlers) as server:
        texting = make(account(carrier, server, key), "")
        try:
            yield texting, server
        finally:
            await texting.close()


def form(exchange: Exchange) -> dict[str, list[str]]:
    return parse_qs(exchange.body.decode(), strict_parsing=True)


async def test_twilio_takes_a_form_under_the_account_and_its_token() -> None:
    async with sending("twilio", answering(*SENT["twilio"])) as (texting, server):
        assert await texting.send(MESSAGE) == "SM123"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form(request) == {"To": [MESSAGE.to], "From": [MESSAGE.sender], "Body": [MESSAGE.text]}
    assert _proof(request) == f"{SID}:{TOKEN}"


async def test_twilio_takes_an_api_key_and_a_messaging_service_in_place_of_a_number() -> None:
    service = "MG" + "1" * 32
    async with sending("twilio", answering(*SENT["twilio"]), key=f"SK1:{TOKEN}") as (texting, server):
        await texting.send(TextMessage(sender=service, to=MESSAGE.to, text="Hi"))
    assert form(server.requests[0])["MessagingServiceSid"] == [service]
    assert "From" not in form(server.requests[0])
    assert _proof(server.requests[0]) == f"SK1:{TOKEN}"


async def test_telnyx_takes_json_under_a_bearer_key() -> None:
    async with sending("telnyx", answering(*SENT["telnyx"])) as (texting, server):
        assert await texting.send(MESSAGE) == "40385f64"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v2/messages")
    assert request.body == {"from": MESSAGE.sender, "to": MESSAGE.to, "text": MESSAGE.text}
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


async def test_telnyx_takes_a_messaging_profile_in_place_of_a_number() -> None:
    profile = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    async with sending("telnyx", answering(*SENT["telnyx"])) as (texting, server):
        await texting.send(TextMessage(sender=profile, to=MESSAGE.to, text="Hi"))
    assert server.requests[0].body == {"messaging_profile_id": profile, "to": MESSAGE.to, "text": "Hi"}


# --- what carriers refuse


@pytest.mark.parametrize(
    ("carrier", "status", "body", "words"),
    [
        (
            "twilio",
            400,
            {
                "code": 21211,
                "message": "The 'To' number +1 is not a valid phone number.",
                "more_info": "https://www.twilio.com/docs/errors/21211",
                "status": 400,
            },
            "is not a valid phone number",
        ),
        ("twilio", 401, {"code": 20003, "message": "Authenticate", "status": 401}, "API key is wrong"),
        ("twilio", 500, {"code": 20500, "message": "Internal Server Error", "status": 500}, "The server failed"),
        (
            "telnyx",
            400,
            {"errors": [{"code": "40310", "title": "Invalid 'to' address", "detail": "It must be a valid number."}]},
            "It must be a valid number",
        ),
        ("telnyx", 401, {"errors": [{"code": "10009", "title": "Authentication failed"}]}, "API key is wrong"),
        ("telnyx", 503, {"errors": [{"code": "10007", "title": "Unexpected error"}]}, "overloaded"),
    ],
)
async def test_a_refusal_is_told_in_the_carriers_words_and_nothing_is_sent_twice(
    carrier: str, status: int, body: object, words: str
) -> None:
    async with sending(carrier, answering(status, body)) as (texting, server):
        with pytest.raises(ProviderError, match=words) as caught:
            await texting.send(MESSAGE)
    assert len(server.requests) == 1
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_who_sends_too_fast_is_asked_to_wait_and_sends_once_more(carrier: str) -> None:
    slowly = answering(429, {"message": "Too many requests"}, Retry_After="0")
    async with sending(carrier, slowly, answering(*SENT[carrier])) as (texting, server):
        assert await texting.send(MESSAGE)
    assert len(server.requests) == 2
    async with sending(carrier, slowly) as (texting, _):
        with pytest.raises(ProviderError, match="accepts no more requests"):
            await texting.send(MESSAGE)


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_message_whose_answer_was_lost_is_not_sent_again(carrier: str) -> None:
    async def lost(exchange: Exchange) -> None:
        exchange.cut()

    async with sending(carrier, lost) as (texting, server):
        with pytest.raises(ProviderError, match="hung up"):
            await texting.send(MESSAGE)
    assert len(server.requests) == 1


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("body", [{"ok": True}, [], b"<html>"])
async def test_an_answer_of_another_protocol_is_told(carrier: str, body: object) -> None:
    async with sending(carrier, answering(200, body)) as (texting, _):
        with pytest.raises(ProviderError, match="not understood"):
            await texting.send(MESSAGE)


# --- trying the account


async def _check(carrier: str, handler: Handler) -> tuple[str, Exchange]:
    async with serving(handler) as server:
        said = await vendor(carrier).check(account(carrier, server))
    return said, server.requests[0]


async def test_trying_an_account_reads_and_sends_nothing() -> None:
    said, request = await _check("twilio", answering(200, {"messages": [], "page_size": 1}))
    assert (request.method, request.path) == ("GET", f"/2010-04-01/Accounts/{SID}/Messages.json?PageSize=1")
    assert "The account answers" in said
    said, request = await _check("telnyx", answering(200, {"data": [{"id": "p"}], "meta": {}}))
    assert (request.method, request.path) == ("GET", "/v2/messaging_profiles?page%5Bsize%5D=1")
    assert "The key works" in said
    said, _ = await _check("telnyx", answering(200, {"data": [], "meta": {}}))
    assert "no messaging profile yet" in said


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_trying_a_wrong_key_says_so(carrier: str) -> None:
    with pytest.raises(ProviderError, match="API key is wrong"):
        await _check(carrier, answering(401, {"message": "no"}))


def _proof(request: Exchange) -> str:
    return base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
