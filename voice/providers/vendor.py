"""What a vendor's package says of itself, so that people can choose it and calls can be made with it.

Each package of a hosted vendor has a `VENDOR`; `voice.providers.catalogue` knows them all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import httpx

from voice.brain import Brains
from voice.providers.base import Llm, Stt, Texting, Tts
from voice.providers.realtime import Realtime
from voice.providers.sockets import Connect, connect_anywhere

Role = Literal["stt", "tts", "llm", "realtime", "agent", "sms"]
"""An "agent" is a program of somebody's own that decides on the words."""
LONGEST_STYLE = 30
"""Characters."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Access to a vendor's service. `client` and `connect` are the doors that requests go through: where people type
    the address, they judge it first. Whoever makes an adapter closes it, and the client with it."""

    base_url: str
    api_key: str = field(default="", repr=False)
    number: str = ""
    """Which account it is, where the key does not say that."""
    client: Callable[[], httpx.AsyncClient] | None = None
    connect: Connect = connect_anywhere
    name: str = ""
    """What events and messages call it; the vendor's id where empty."""


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """What a program is told of its call. Addresses are phone numbers or SIP URIs; `metadata` is passed on as it is."""

    agent_id: str = ""
    caller: str = ""
    called: str = ""
    direction: Literal["inbound", "outbound"] = "inbound"
    prompt: str = ""
    greeting: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


class AgentApp(Protocol):
    """A program that decides on the words of calls. One object serves all of them."""

    name: str

    def brains(self, call: CallFacts) -> Brains: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class VoiceChoice:
    """A voice that a vendor offers."""

    id: str
    label: str
    language: str = "en"
    gender: Literal["", "female", "male", "neutral"] = ""
    styles: tuple[str, ...] = ()
    """What it is like and what for, in the vendor's words: "calm", "customer service"."""


def style_words(labels: Iterable[object]) -> tuple[str, ...]:
    """A vendor's labels of a voice as words to choose by. What is no text, or no label but a sentence, is left out."""
    words = (label.replace("_", " ").strip().lower() for label in labels if isinstance(label, str))
    return tuple(dict.fromkeys(word for word in words if 0 < len(word) <= LONGEST_STYLE))


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor of speech, language models or text messages. Makers take an account and a model's name, and what they
    make is shared by all calls; a role without a maker is one that the vendor does not have."""

    id: str
    label: str
    base_url: str
    key_hint: str
    """Where a key is had, in words."""
    models: Mapping[Role, tuple[str, ...]]
    """Known models of each role, the default first. Others may be typed."""
    check: Callable[[Account], Awaitable[str]]
    """Tries the key without spending: a sentence of what was found. Raises ProviderError, which says what is wrong."""
    stt: Callable[[Account, str], Stt] | None = None
    tts: Callable[[Account, str], Tts] | None = None
    llm: Callable[[Account, str], Llm] | None = None
    realtime: Callable[[Account, str], Realtime] | None = None
    agent: Callable[[Account, str], AgentApp] | None = None
    """Here a model is the protocol that the program speaks."""
    sms: Callable[[Account, str], Texting] | None = None
    """Here there are no models."""
    pools: str = ""
    """A regular expression for what text messages can be sent from in place of a number."""
    account_hint: str = ""
    """What `Account.number` is called, and where it is had; "" where the key says whose it is."""
    voices: tuple[VoiceChoice, ...] = ()
    list_voices: Callable[[Account], Awaitable[list[VoiceChoice]]] | None = None
    """Asks the vendor for the account's voices. Raises ProviderError."""
    detects: bool = False
    """Its recognisers find out by themselves which language is spoken, when they are told none."""
    needs_key: bool = True
