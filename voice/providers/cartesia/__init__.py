"""Cartesia: Ink listens, Sonic speaks.

Spoken to over its WebSockets directly: one for all speech that is made, and one for each caller who is listened to.
"""

from __future__ import annotations

from typing import Any, Literal

from voice.providers.api import Api
from voice.providers.cartesia.stt import CartesiaStt
from voice.providers.cartesia.tts import CartesiaTts
from voice.providers.cartesia.wire import headers
from voice.providers.vendor import Account, Vendor, VoiceChoice

__all__ = ["VENDOR", "CartesiaStt", "CartesiaTts"]

PAGE = 100
# More voices than anybody chooses from.
MOST_VOICES = 2000
_GENDERS: dict[str, Literal["female", "male", "neutral"]] = {
    "feminine": "female",
    "masculine": "male",
    "gender_neutral": "neutral",
}


def _stt(account: Account, model: str) -> CartesiaStt:
    return CartesiaStt(
        account.base_url, account.api_key, model, connect=account.connect, name=account.name or "cartesia"
    )


def _tts(account: Account, model: str) -> CartesiaTts:
    return CartesiaTts(
        account.base_url, account.api_key, model, connect=account.connect, name=account.name or "cartesia"
    )


async def _check(account: Account) -> str:
    api = _api(account)
    try:
        await _page(api, {"limit": 1})
    finally:
        await api.close()
    return "The key works."


async def _list_voices(account: Account) -> list[VoiceChoice]:
    voices: list[VoiceChoice] = []
    query: dict[str, str | int] = {"limit": PAGE}
    api = _api(account)
    try:
        while len(voices) < MOST_VOICES:
            page, more = await _page(api, query)
            voices += page
            if not more or not page:
                break
            query["starting_after"] = page[-1].id
    finally:
        await api.close()
    return voices


def _api(account: Account) -> Api:
    client = account.client() if account.client else None
    name = account.name or "cartesia"
    return Api(name, account.base_url, secret=account.api_key, headers=headers(account.api_key), client=client)


async def _page(api: Api, query: dict[str, str | int]) -> tuple[list[VoiceChoice], bool]:
    """Some of the account's voices, and whether there are more. Raises ProviderError."""
    answer = await api.json("GET", "/voices", what="list of voices", params=query)
    try:
        return [_choice(voice) for voice in answer["data"]], bool(answer.get("has_more"))
    except (AttributeError, KeyError, TypeError):
        raise api.failures.garbled(str(answer)) from None


def _choice(voice: dict[str, Any]) -> VoiceChoice:
    tagline = voice.get("tagline") or ""
    return VoiceChoice(
        id=str(voice["id"]),
        label=f"{voice['name']}, {tagline}" if tagline else str(voice["name"]),
        language=voice.get("language") or "en",
        gender=_GENDERS.get(voice.get("gender") or "", ""),
    )


VENDOR = Vendor(
    id="cartesia",
    label="Cartesia",
    base_url="https://api.cartesia.ai",
    key_hint="play.cartesia.ai, under API keys",
    models={
        "stt": ("ink-2", "ink-2/manual", "ink-whisper"),
        "tts": ("sonic-3.6", "sonic-3.5", "sonic-3", "sonic-latest"),
    },
    check=_check,
    stt=_stt,
    detects=True,
    tts=_tts,
    voices=(
        VoiceChoice(id="f786b574-daa5-4673-aa0c-cbe3e8534c02", label="Katie", gender="female"),
        VoiceChoice(id="228fca29-3a0a-435c-8728-5cb483251068", label="Kiefer", gender="male"),
        VoiceChoice(id="6ccbfb76-1fc6-48f7-b71d-91ac6298247b", label="Tessa", gender="female"),
    ),
    list_voices=_list_voices,
)
