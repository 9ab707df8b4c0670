"""The way to ElevenLabs' HTTP API, and what it says of an account."""

from __future__ import annotations

from typing import Any

from voice.providers.api import Api
from voice.providers.vendor import Account, VoiceChoice, style_words

_PAGE = 100


def headers(account: Account) -> dict[str, str]:
    return {"xi-api-key": account.api_key}


def name(account: Account) -> str:
    return account.name or "elevenlabs"


def api(account: Account) -> Api:
    client = account.client() if account.client else None
    return Api(name(account), account.base_url, secret=account.api_key, headers=headers(account), client=client)


async def check(account: Account) -> str:
    """Asks which models there are, which costs nothing and which every key may. Raises ProviderError."""
    server = api(account)
    try:
        models = await server.json("GET", "/v1/models", what="list of models")
    finally:
        await server.close()
    if not isinstance(models, list):
        raise server.failures.garbled(str(models))
    return f"The key works; {len(models)} models can be used."


async def list_voices(account: Account) -> list[VoiceChoice]:
    """All voices of the account: the vendor's, and those that were added or made. Raises ProviderError."""
    server = api(account)
    found: list[VoiceChoice] = []
    token: str | None = ""
    try:
        while token is not None:
            query = {"page_size": _PAGE} | ({"next_page_token": token} if token else {})
            page = await server.json("GET", "/v2/voices", what="list of voices", params=query)
            try:
                found += [_choice(voice) for voice in page["voices"]]
                token = page["next_page_token"] if page.get("has_more") else None
            except (LookupError, TypeError, AttributeError):
                raise server.failures.garbled(str(page)) from None
    finally:
        await server.close()
    return found


def _choice(voice: dict[str, Any]) -> VoiceChoice:
    labels = voice.get("labels") or {}
    gender = labels.get("gender")
    return VoiceChoice(
        id=str(voice["voice_id"]),
        label=str(voice.get("name") or voice["voice_id"]),
        language=str(labels.get("language") or "en"),
        gender=gender if gender in ("female", "male", "neutral") else "",
        # Older voices are described under another name.
        styles=style_words(labels.get(name) for name in ("descriptive", "description", "use_case")),
    )
