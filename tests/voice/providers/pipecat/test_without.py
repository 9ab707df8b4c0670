"""The bridge where Pipecat is not installed, and services that cannot be."""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import PackageNotFoundError
from typing import Any

import httpx
import pytest

from voice.providers.base import LlmSettings, ProviderError
from voice.providers.pipecat import VENDOR, ServiceSpec, spec
from voice.providers.vendor import Account

TTS = "pipecat.services.rime.tts.RimeTTSService"


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(spec, "version", version)


@pytest.mark.usefixtures("absent")
async def test_without_pipecat_everything_says_how_to_install_it() -> None:
    account = Account(base_url="", api_key="k")
    words = r'Pipecat is not installed here. Install it with: uv pip install "pipecat-ai==1\.14\.\*"'
    with pytest.raises(ProviderError, match=words):
        await VENDOR.check(account)
    assert VENDOR.tts
    tts = VENDOR.tts(account, TTS)
    with pytest.raises(ProviderError, match=words):
        await anext(tts.speak("Hello.", voice="", speed=1.0, language="en"))
    assert VENDOR.llm
    llm = VENDOR.llm(account, "pipecat.services.groq.llm.GroqLLMService")
    settings = LlmSettings("m")
    await llm.prewarm([], tools=(), settings=settings)
    with pytest.raises(ProviderError, match=words):
        await anext(llm.stream([], tools=(), settings=settings))


@pytest.mark.usefixtures("absent")
async def test_without_pipecat_a_call_is_told_when_the_caller_speaks() -> None:
    assert VENDOR.stt
    stt: Any = VENDOR.stt(Account(base_url="", api_key="k"), "pipecat.services.gladia.stt.GladiaSTTService")
    errors: list[ProviderError] = []
    stream = stt.open(language="en", on_transcript=errors.append, on_error=errors.append)
    stream.speech_started()
    stream.feed(bytes(640))
    while not errors:
        await _moment()
    assert "Pipecat is not installed" in str(errors[0])
    stream.close()
    await stt.close()


async def test_another_version_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "version", lambda name: "2.0.1")
    with pytest.raises(ProviderError, match=r"Pipecat 2\.0\.1 is installed.*1\.14"):
        await VENDOR.check(Account(base_url=""))


def test_a_service_is_a_class_alone_or_with_its_parameters() -> None:
    alone = ServiceSpec.parse(f" {TTS} ", provider="p", api_key="k")
    assert (alone.path, alone.params, alone.api_key) == (TTS, {}, "k")
    text = json.dumps({"class": TTS, "params": {"api_key": "own", "settings": {"voice": "v"}}})
    detailed = ServiceSpec.parse(text, provider="p", api_key="k")
    assert detailed.params == {"api_key": "own", "settings": {"voice": "v"}}
    assert "own" not in repr(detailed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "os.system",
        "subprocess.Popen",
        "pipecat.services.x-y.Z",
        "{broken",
        "{}",
        '{"class": 3}',
        f'{{"class": "{TTS}", "params": []}}',
        f'{{"class": "{TTS}", "params": {{"settings": 3}}}}',
        '{"class": "os.system", "params": {"command": "ls"}}',
    ],
)
def test_what_is_no_service_of_pipecats_is_refused(text: str) -> None:
    with pytest.raises(ProviderError, match=r"pipecat\.services"):
        ServiceSpec.parse(text, provider="p")


@pytest.mark.parametrize(
    "params",
    [
        {"base_url": "http://10.0.0.1"},
        {"settings": {"extra": {"endpoint": "10.0.0.1"}}},
        {"options": ["wss://10.0.0.1"]},
        {"host": "localhost"},
    ],
)
def test_no_address_is_taken_where_addresses_are_judged(params: dict[str, Any]) -> None:
    text = json.dumps({"class": TTS, "params": params})
    assert VENDOR.tts
    with pytest.raises(ProviderError, match="cannot be given an address here"):
        VENDOR.tts(Account(base_url="", client=httpx.AsyncClient), text)
    VENDOR.tts(Account(base_url=""), text)


async def _moment() -> None:
    await asyncio.sleep(0.01)
