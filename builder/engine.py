"""The models that this process reaches, each by one client that all its calls share.

The clients belong to the event loop that made them. They are made when first asked for, and closed when the server has
stopped and ended its calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from builder import vendors
from builder.compile import Service
from builder.knowledge.embedding import Embedder, EmbeddingModel, hosted_embedder
from builder.tools.bind import BoundTool, ToolClients
from builder.vendors import Access
from voice.providers.base import Llm, Stt, Tts
from voice.providers.realtime import Realtime
from voice.providers.vendor import Account, AgentApp, VoiceChoice
from voice.text.pronunciation import Lexicon
from voice.tools import Tool

if TYPE_CHECKING:
    from voice.providers.local import LocalModels, ModelsStatus


TOTAL_SECONDS = 120.0
"""For a whole answer of a hosted model, however long; how long its first words may take is the model's own matter."""


@dataclass(slots=True)
class _Clients:
    loop: asyncio.AbstractEventLoop
    local: LocalModels | None = None
    starting: asyncio.Task[None] | None = None
    hosted: dict[Service | EmbeddingModel, Any] = field(default_factory=dict)
    tools: ToolClients | None = None


_clients: _Clients | None = None


def _mine() -> _Clients:
    """The clients of the running loop; those of a loop that ended are forgotten."""
    global _clients
    loop = asyncio.get_running_loop()
    if _clients is None or _clients.loop is not loop:
        _clients = _Clients(loop)
    return _clients


def local_models() -> LocalModels:
    """This process's client of the model process. It connects, and connects again, by itself."""
    from voice.providers.local import LocalModels  # loads the runtime of the models, which few processes need

    clients = _mine()
    if clients.local is None:
        clients.local = LocalModels(settings.MODELS_SOCKET, settings.MODELS_DIR)
        clients.starting = asyncio.create_task(clients.local.start(), name="local models")
    return clients.local


# --- what calls are made with


def stt_for(service: Service) -> Stt:
    """The recogniser of a service; equal services share one."""
    recogniser: Stt = _shared(service, service.access) if service.access else local_models().stt
    return recogniser


def tts_for(service: Service) -> Tts:
    """Who speaks for a service; equal services share one."""
    speaker: Tts = _shared(service, service.access) if service.access else local_models().tts
    return speaker


def llm_for(service: Service) -> Llm:
    """Who answers for a service; those of one account share one, which is told the model each time."""
    model: Llm = _shared(replace(service, model=""), service.access) if service.access else local_models().llm
    return model


def realtime_for(service: Service, access: Access) -> Realtime:
    """Who hears and speaks for a service; equal services share one."""
    model: Realtime = _shared(service, access)
    return model


def agent_for(service: Service, access: Access) -> AgentApp:
    """The program that answers for a service; equal services share one."""
    app: AgentApp = _shared(service, access)
    return app


def tools_for(bound: Sequence[BoundTool]) -> list[Tool]:
    """An agent's tools for one call. What they reach the world by is shared by all calls."""
    if not bound:
        return []
    clients = _mine()
    if clients.tools is None:
        clients.tools = ToolClients()
    return [tool for one in bound for tool in one.tools(clients.tools)]


def embedder_for(model: EmbeddingModel) -> Embedder:
    """Who makes the vectors of questions; equal models share one."""
    if model.access is None:
        return local_models().embedder
    hosted = _mine().hosted
    if model not in hosted:
        hosted[model] = hosted_embedder(model, model.access)
    embedder: Embedder = hosted[model]
    return embedder


def _shared(service: Service, access: Access) -> Any:
    hosted = _mine().hosted
    if service not in hosted:
        hosted[service] = _made(service, access)
    return hosted[service]


def _made(service: Service, access: Access) -> Any:
    """An adapter. Whoever asks for it closes it."""
    make: Callable[[Account, str], Any] = getattr(vendors.vendor(access.vendor), service.role)
    return make(replace(account(access), name=service.name), service.model)


def account(access: Access) -> Account:
    """An account whose requests go through the guarded doors: people have typed its address."""
    from core import http, sockets

    return Account(
        base_url=access.base_url,
        api_key=access.api_key,
        number=access.number,
        client=partial(http.async_client, own_machine=True, total=TOTAL_SECONDS),
        connect=sockets.connect_own,
        name=access.name,
    )


async def close() -> None:
    """Close every client. The next call would make new ones."""
    global _clients
    clients, _clients = _clients, None
    if clients is None or clients.loop is not asyncio.get_running_loop():
        return
    if clients.starting is not None:
        clients.starting.cancel()
    if clients.local is not None:
        await clients.local.close()
    for adapter in clients.hosted.values():
        await adapter.close()
    if clients.tools is not None:
        await clients.tools.close()


# --- for pages


async def check(access: Access, model: str) -> str:
    """Try an account; a sentence of what was found. Raises ProviderError that says what is wrong.

    Where a compatible service serves nothing but `model`, that is asked for one token: few of them know their keys.
    """
    if access.vendor != vendors.COMPATIBLE or not model:
        return await vendors.vendor(access.vendor).check(account(access))
    llm = _made(Service("llm", access), access)
    try:
        return f"{model} gave its first token after {1000 * await llm.check(model):.0f} ms."
    finally:
        await llm.close()


def own_llm(access: Access) -> Any:
    """The language models of an account, for one page. Whoever asks for it closes it."""
    return _made(Service("llm", access), access)


async def voices(access: Access) -> list[VoiceChoice]:
    """The voices of an account, as far as its vendor tells. Raises ProviderError."""
    vendor = vendors.vendor(access.vendor)
    return await vendor.list_voices(account(access)) if vendor.list_voices else list(vendor.voices)


async def say(
    access: Access, model: str, text: str, *, voice: str, speed: float, language: str, lexicon: Lexicon | None = None
) -> bytes:
    """`text` as 16 kHz mono PCM16, by a hosted voice, as `lexicon` wants it said. Raises ProviderError."""
    tts = _made(Service("tts", access, model), access)
    if lexicon:
        text = lexicon.spoken(text, language, getattr(tts, "phonemes", ""))
    try:
        return b"".join([piece.pcm async for piece in tts.speak(text, voice=voice, speed=speed, language=language)])
    finally:
        await tts.close()


def models_status() -> ModelsStatus:
    """What the local models are doing, for views: blocks for a moment, and never fails."""
    from voice.providers import local

    return local.status(settings.MODELS_SOCKET)


def speak(text: str, *, voice: str, speed: float, language: str, lexicon: Lexicon | None = None) -> bytes:
    """`text` as 16 kHz mono PCM16, as `lexicon` wants it said, for views: blocks until all of it is there. Raises
    ProviderError."""
    from voice.providers import local

    if lexicon:
        text = lexicon.spoken(text, language, local.PHONEMES)
    return local.speak(settings.MODELS_SOCKET, text, voice=voice, speed=speed, language=language)


def speech_notice() -> str:
    """What somebody who chooses a voice should know now, or ""."""
    status = models_status()
    voices = next((part for part in status.components if part.name == "tts"), None)
    if voices is None or voices.state in ("off", "failed"):
        reason = f" ({voices.message})" if voices and voices.message else ""
        return f"The natural voices are not on this machine{reason}. Joe, the light voice, speaks in their place."
    if voices.state != "ready":
        return (
            "The natural voices are still loading. Until they are there, Joe, the light voice, speaks in their place."
        )
    return ""
