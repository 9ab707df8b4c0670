"""The way to Deepgram's HTTP API, and what it says of an account."""

from __future__ import annotations

from voice.providers.api import Api
from voice.providers.vendor import Account, VoiceChoice, style_words


def headers(account: Account) -> dict[str, str]:
    return {"Authorization": f"Token {account.api_key}"}


def name(account: Account) -> str:
    return account.name or "deepgram"


def api(account: Account) -> Api:
    client = account.client() if account.client else None
    return Api(name(account), account.base_url, secret=account.api_key, headers=headers(account), client=client)


async def check(account: Account) -> str:
    """Asks whose key it is, which costs nothing. Raises ProviderError."""
    server = api(account)
    try:
        token = await server.json("GET", "/v1/auth/token", what="key's details")
    finally:
        await server.close()
    scopes = token.get("scopes") if isinstance(token, dict) else None
    return f"The key works; it may do: {', '.join(map(str, scopes))}." if scopes else "The key works."


async def list_voices(account: Account) -> list[VoiceChoice]:
    """All voices that can be asked for by name. Raises ProviderError."""
    server = api(account)
    try:
        models = await server.json("GET", "/v1/models", what="list of voices")
    finally:
        await server.close()
    try:
        return [_choice(voice) for voice in models["tts"] if voice.get("canonical_name")]
    except (LookupError, TypeError, AttributeError):
        raise server.failures.garbled(str(models)) from None


def _choice(voice: dict[str, object]) -> VoiceChoice:
    languages, metadata = voice.get("languages"), voice.get("metadata")
    tags, uses = (_list(metadata, name) for name in ("tags", "use_cases"))
    return VoiceChoice(
        id=str(voice["canonical_name"]),
        label=str(voice.get("name") or voice["canonical_name"]).capitalize(),
        language=str(languages[0]) if isinstance(languages, list) and languages else "en",
        gender="female" if "feminine" in tags else "male" if "masculine" in tags else "",
        styles=style_words([*(tag for tag in tags if tag not in ("feminine", "masculine")), *uses]),
    )


def _list(metadata: object, name: str) -> list[object]:
    found = metadata.get(name) if isinstance(metadata, dict) else None
    return found if isinstance(found, list) else []
