"""The models that this process reaches, each by one client that all its calls share.

The clients belong to the event loop that made them. They are made when first asked for, and closed when the server has
stopped and ended its calls.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings

from builder.compile import CompiledAgent, Endpoint
from voice.providers.base import Llm

if TYPE_CHECKING:
    import httpx

    from voice.providers.local import LocalModels, ModelsStatus
    from voice.providers.openai import OpenAiLlm


TOTAL_SECONDS = 120.0
"""For a whole answer of a hosted model, however long; how long its first words may take is the model's own matter."""


@dataclass(frozen=True, slots=True)
class _Hosted:
    llm: OpenAiLlm
    client: httpx.AsyncClient

    async def close(self) -> None:
        await self.llm.close()
        await self.client.aclose()


@dataclass(slots=True)
class _Clients:
    loop: asyncio.AbstractEventLoop
    local: LocalModels | None = None
    starting: asyncio.Task[None] | None = None
    hosted: dict[Endpoint, _Hosted] = field(default_factory=dict)


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


def llm_for(compiled: CompiledAgent) -> Llm:
    """The language model that answers for an agent. Agents with the same address and key share one client."""
    if compiled.endpoint is None:
        return local_models().llm
    hosted = _mine().hosted
    if compiled.endpoint not in hosted:
        hosted[compiled.endpoint] = _hosted(compiled.endpoint, compiled.spec.model.provider)
    return hosted[compiled.endpoint].llm


def _hosted(endpoint: Endpoint, name: str) -> _Hosted:
    from core import http
    from voice.providers.openai import OpenAiLlm

    client = http.async_client(own_machine=True, total=TOTAL_SECONDS)
    return _Hosted(OpenAiLlm(endpoint.base_url, endpoint.api_key, client=client, name=name), client)


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
    for hosted in clients.hosted.values():
        await hosted.close()


async def check(base_url: str, api_key: str, model: str) -> float:
    """Ask a service for one token. Gives the seconds that it took; raises ProviderError that says what is wrong."""
    hosted = _hosted(Endpoint(base_url, api_key), "The service")
    try:
        return await hosted.llm.check(model)
    finally:
        await hosted.close()


def models_status() -> ModelsStatus:
    """What the local models are doing, for views: blocks for a moment, and never fails."""
    from voice.providers import local

    return local.status(settings.MODELS_SOCKET)


def speak(text: str, *, voice: str, speed: float, language: str) -> bytes:
    """`text` as 16 kHz mono PCM16, for views: blocks until all of it is there. Raises ProviderError."""
    from voice.providers import local

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
