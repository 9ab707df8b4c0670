"""The clients that a process shares among its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from django.apps import apps

from builder import engine
from builder.compile import Service
from builder.vendors import Access
from core import http, lifespan, sockets
from voice.providers.base import ProviderError

DEEPGRAM = Access("deepgram", "Ears", "https://api.deepgram.com", "dg-1")


def groq(base_url: str = "https://llm.example.org/v1", key: str = "sk-1") -> Access:
    return Access("compatible", "Groq", base_url, key)


def hosted(access: Access | None = None, model: str = "small") -> Service:
    return Service("llm", access or groq(), model)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    engine._clients = None


async def test_calls_share_one_client_of_the_local_models_and_a_closed_one_is_made_anew(
    settings: Any, tmp_path: Path
) -> None:
    settings.MODELS_SOCKET = tmp_path / "models.sock"
    models = engine.local_models()
    assert engine.local_models() is models
    assert engine.llm_for(Service("llm")) is models.llm
    assert engine.stt_for(Service("stt")) is models.stt
    assert engine.tts_for(Service("tts")) is models.tts
    await asyncio.sleep(0)
    assert not models.status.connected
    await engine.close()
    assert engine.local_models() is not models
    await engine.close()


async def test_the_language_models_of_an_account_share_a_client() -> None:
    one = engine.llm_for(hosted())
    assert engine.llm_for(hosted(model="large")) is one
    assert engine.llm_for(hosted(groq(key="sk-2"))) is not one
    assert engine.llm_for(hosted(groq("https://other.example.org/v1"))) is not one
    assert one.name == "Groq"
    await engine.close()


async def test_recognisers_and_voices_of_an_account_share_one_each_for_a_model() -> None:
    ears = engine.stt_for(Service("stt", DEEPGRAM, "nova-3"))
    assert engine.stt_for(Service("stt", DEEPGRAM, "nova-3")) is ears
    assert engine.stt_for(Service("stt", DEEPGRAM, "nova-2-phonecall")) is not ears
    voice = engine.tts_for(Service("tts", DEEPGRAM, "aura-2"))
    assert (ears.name, voice.name) == ("Ears nova-3", "Ears aura-2")
    await engine.close()


def test_every_event_loop_has_clients_of_its_own() -> None:
    async def llm() -> Any:
        return engine.llm_for(hosted())

    assert asyncio.run(llm()) is not asyncio.run(llm())


async def test_closing_closes_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[httpx.AsyncClient] = []

    def async_client(**options: Any) -> httpx.AsyncClient:
        assert options["own_machine"]
        made.append(httpx.AsyncClient())
        return made[-1]

    monkeypatch.setattr(http, "async_client", async_client)
    engine.llm_for(hosted())
    engine.tts_for(Service("tts", DEEPGRAM, "aura-2"))
    await engine.close()
    assert [client.is_closed for client in made] == [True, True]


def test_the_server_closes_them_when_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Any] = []
    monkeypatch.setattr(lifespan, "_shutdown", hooks)
    apps.get_app_config("builder").ready()
    assert hooks == [engine.close]


def test_an_account_goes_through_the_guarded_doors() -> None:
    made = engine.account(DEEPGRAM)
    assert made.connect is sockets.connect_own
    assert "dg-1" not in repr(made)


async def test_a_check_asks_a_compatible_service_for_a_token() -> None:
    answer = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}]}
    with respx.mock(using="httpcore") as router:
        route = router.post("https://llm.example.org/v1/chat/completions").respond(json=answer)
        said = await engine.check(groq(), "small")
    assert route.calls.last.request.headers["Authorization"] == "Bearer sk-1"
    assert said.startswith("small gave its first token after ")


async def test_a_check_asks_a_vendor_whether_it_knows_the_key() -> None:
    with respx.mock(using="httpcore") as router:
        asked = router.get("https://api.deepgram.com/v1/auth/token").respond(json={"scopes": ["member"]})
        assert await engine.check(DEEPGRAM, "") == "The key works; it may do: member."
        assert asked.calls.last.request.headers["Authorization"] == "Token dg-1"
        asked.respond(401, json={"err_msg": "Invalid credentials."})
        with pytest.raises(ProviderError, match="The API key is wrong") as refused:
            await engine.check(DEEPGRAM, "")
    assert "dg-1" not in str(refused.value)


async def test_a_private_address_is_not_contacted(settings: Any) -> None:
    settings.SITE_URL = "https://calls.example.org"
    with pytest.raises(ProviderError, match="OUTBOUND_ALLOWED_PRIVATE_HOSTS"):
        await engine.check(groq("http://10.0.0.1:9/v1"), "small")


async def test_the_voices_of_an_account_are_asked_for() -> None:
    listed = {"tts": [{"name": "thalia", "canonical_name": "aura-2-thalia-en", "languages": ["en"]}]}
    with respx.mock(using="httpcore") as router:
        router.get("https://api.deepgram.com/v1/models").respond(json=listed)
        (voice,) = await engine.voices(DEEPGRAM)
    assert (voice.id, voice.label) == ("aura-2-thalia-en", "Thalia")


async def test_a_hosted_voice_says_some_words() -> None:
    with respx.mock(using="httpcore") as router:
        spoken = router.post("https://llm.example.org/v1/audio/speech").respond(content=b"\1\0" * 480)
        pcm = await engine.say(groq(), "tts-1", "Hello.", voice="nova", speed=1.0, language="en")
    assert len(pcm) > 0
    assert b'"nova"' in spoken.calls.last.request.content
