"""Cartesia's account: the key is tried without spending, and its voices can be chosen."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving
from voice.providers.base import ProviderError
from voice.providers.cartesia import VENDOR
from voice.providers.vendor import Account, VoiceChoice

KEY = "sk_car_secret-0123456789"


def account(server: FakeServer) -> Account:
    return Account(base_url=server.url.removesuffix("/v1"), api_key=KEY)


def page(*voices: dict[str, Any], more: bool = False) -> Handler:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(200, {"data": list(voices), "has_more": more, "next_page": None})

    return handle


def voice(number: int, **other: Any) -> dict[str, Any]:
    return {"id": f"voice-{number}", "name": f"Voice {number}", "tagline": "", "language": "en", **other}


async def test_a_key_is_tried_without_spending() -> None:
    async with serving(page(voice(1), more=True)) as server:
        assert await VENDOR.check(account(server)) == "The key works."
        request = server.requests[0]
    assert (request.method, urlsplit(request.path).path) == ("GET", "/voices")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["cartesia-version"]


async def test_a_wrong_key_is_told_without_the_key() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(401, {"title": "Unauthorized", "message": f"Invalid API key {KEY}"})

    async with serving(refuse) as server:
        with pytest.raises(ProviderError, match="key is wrong") as failure:
            await VENDOR.check(account(server))
    assert KEY not in str(failure.value)


async def test_all_pages_of_voices_are_listed() -> None:
    first = page(voice(1, tagline="Warm", gender="feminine"), voice(2, gender="masculine", language="de"), more=True)
    last = page(voice(3, gender="gender_neutral"), voice(4))
    async with serving(first, last) as server:
        assert VENDOR.list_voices is not None
        assert await VENDOR.list_voices(account(server)) == [
            VoiceChoice(id="voice-1", label="Voice 1, Warm", gender="female"),
            VoiceChoice(id="voice-2", label="Voice 2", language="de", gender="male"),
            VoiceChoice(id="voice-3", label="Voice 3", gender="neutral"),
            VoiceChoice(id="voice-4", label="Voice 4"),
        ]
        queries = [parse_qs(urlsplit(request.path).query) for request in server.requests]
    assert queries == [{"limit": ["100"]}, {"limit": ["100"], "starting_after": ["voice-2"]}]


async def test_an_empty_page_is_the_last_one() -> None:
    async with serving(page(voice(1), more=True), page(more=True)) as server:
        assert VENDOR.list_voices is not None
        assert len(await VENDOR.list_voices(account(server))) == 1


@pytest.mark.parametrize("answer", [[], {"data": [1]}, {"data": [{"name": "No id"}]}, {}])
async def test_a_list_that_is_none_is_told(answer: Any) -> None:
    async def babble(exchange: Exchange) -> None:
        await exchange.answer(200, answer)

    async with serving(babble) as server:
        assert VENDOR.list_voices is not None
        with pytest.raises(ProviderError, match="not understood"):
            await VENDOR.list_voices(account(server))
