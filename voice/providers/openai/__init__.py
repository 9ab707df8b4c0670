"""OpenAI, and whatever speaks its protocols at another address: OpenRouter, vLLM, Ollama, llama.cpp and many more.

Spoken to with httpx directly. The official library would bring its own models, retries and 0.6 s of imports, hide the
stream that we must cancel in the middle, and know less of the servers that are only nearly compatible.
"""

from __future__ import annotations

from typing import Literal

import httpx

from voice.providers.openai.embed import OpenAiEmbedder
from voice.providers.openai.llm import OpenAiLlm
from voice.providers.openai.realtime import OpenAiRealtime
from voice.providers.openai.stt import OpenAiStt
from voice.providers.openai.tts import OpenAiTts
from voice.providers.vendor import Account, Vendor, VoiceChoice

__all__ = ["VENDOR", "OpenAiEmbedder", "OpenAiLlm", "OpenAiRealtime", "OpenAiStt", "OpenAiTts"]

_VOICES: dict[str, Literal["female", "male", "neutral"]] = {
    "alloy": "neutral",
    "ash": "male",
    "ballad": "male",
    "cedar": "male",
    "coral": "female",
    "echo": "male",
    "fable": "neutral",
    "marin": "female",
    "nova": "female",
    "onyx": "male",
    "sage": "female",
    "shimmer": "female",
    "verse": "male",
}


def _stt(account: Account, model: str) -> OpenAiStt:
    return OpenAiStt(
        account.base_url,
        account.api_key,
        model,
        client=_client(account),
        connect=account.connect,
        name=_name(account),
    )


def _tts(account: Account, model: str) -> OpenAiTts:
    return OpenAiTts(account.base_url, account.api_key, model, client=_client(account), name=_name(account))


def _llm(account: Account, model: str) -> OpenAiLlm:
    return OpenAiLlm(account.base_url, account.api_key, client=_client(account), name=_name(account))


def _realtime(account: Account, model: str) -> OpenAiRealtime:
    return OpenAiRealtime(account.base_url, account.api_key, model, connect=account.connect, name=_name(account))


def _client(account: Account) -> httpx.AsyncClient | None:
    return account.client() if account.client else None


def _name(account: Account) -> str:
    return account.name or "openai"


async def _check(account: Account) -> str:
    llm = _llm(account, "")
    try:
        models = await llm.list_models()
    finally:
        await llm.close()
    return f"The key works; {len(models)} models can be used."


VENDOR = Vendor(
    id="openai",
    label="OpenAI",
    base_url="https://api.openai.com/v1",
    key_hint="platform.openai.com, under API keys",
    models={
        "stt": (
            "gpt-live-transcribe",
            "gpt-4o-mini-transcribe",
            "gpt-4o-transcribe",
            "gpt-realtime-whisper",
            "whisper-1",
        ),
        "tts": ("gpt-4o-mini-tts", "tts-1", "tts-1-hd"),
        "llm": ("gpt-5.4-mini", "gpt-4.1-mini", "gpt-4.1", "gpt-4o-mini"),
        "realtime": (
            "gpt-realtime-2.1",
            "gpt-realtime-2.1-mini",
            "gpt-realtime-2",
            "gpt-realtime-1.5",
            "gpt-realtime",
            "gpt-realtime-mini",
        ),
    },
    check=_check,
    stt=_stt,
    detects=True,
    tts=_tts,
    llm=_llm,
    realtime=_realtime,
    voices=tuple(VoiceChoice(id=voice, label=voice.title(), gender=gender) for voice, gender in _VOICES.items()),
)
