"""The far end of a test call, played by a script: the site's real pages and its test-call protocol, without an engine.

`PanelServer` serves the site (middleware, Content-Security-Policy, static files and all), a page at `/panel/` that has
nothing on it but the panel, and WebSockets that a test's script answers.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client, override_settings
from django.urls import include, path

from voice import events
from voice.events import Event, Word
from voice.media import SAMPLE_RATE

FRAME = struct.pack("<320h", *(round(6000 * math.sin(2 * math.pi * 400 * i / SAMPLE_RATE)) for i in range(320)))
"""20 ms of a tone that begins and ends at zero, so that frames join."""

_PAGE = """{% extends "base.html" %}{% load static %}
{% block scripts %}<script src="{% static 'dist/call.js' %}" defer></script>{% endblock %}
{% block content %}<div class="page"><h1 class="page-title">Reception</h1>
<div class="page-actions"><button type="button" class="btn btn-primary" data-talk>Talk</button></div>
{% include "telephony/_call_panel.html" %}</div>{% endblock %}"""

Script = Callable[["FakeCall"], Awaitable[None]]


def panel(request: HttpRequest) -> HttpResponse:
    context = {"agent": SimpleNamespace(id="agent_1", name="Reception"), "workspace": SimpleNamespace(slug="acme")}
    return HttpResponse(engines["django"].from_string(_PAGE).render(context, request))


urlpatterns = [path("", include("config.urls")), path("panel/", panel)]


class FakeCall:
    """One socket of a call, as its script sees it. Times are given by the script, which is the call's clock."""

    def __init__(self, server: PanelServer, query: dict[str, str], send: Callable[[Any], Awaitable[None]]) -> None:
        self.query = query
        self.progress = asyncio.Condition()
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.frames = 0
        self.loud_frames = 0
        self._server = server
        self._send = send

    async def message(self, type: str, **fields: Any) -> None:  # noqa: A002  (the protocol's word)
        await self._send({"type": "websocket.send", "text": json.dumps({"type": type, **fields})})

    async def ready(self, *, resumed: bool = False) -> None:
        call = {"id": "call_1", "url": "/panel/?call", "agent": "Reception", "version": "v3", "resumed": resumed}
        await self.message("ready", call=call)

    async def event(self, event: Event) -> None:
        await self.message("event", sequence=self._server.next_sequence(), event=events.encode(event))

    async def audio(self, seconds: float) -> None:
        """The agent's voice, all at once."""
        for _ in range(round(seconds / 0.02)):
            await self._send({"type": "websocket.send", "bytes": FRAME})

    async def agent_says(self, turn: int, text: str, *, heard: int | None = None) -> None:
        """The agent begins to say `text`, and the first `heard` words of it (or all) are heard."""
        asked = events.SpeechRequested(
            at=1.0, turn=turn, request=f"speech-{turn}", provider="fake", voice="v", text=text, spoken=text
        )
        await self.event(asked)
        await self.event(events.AgentSpeechStarted(at=1.1, turn=turn, playout_delay=0.1))
        words = [Word(word, 1.1 + i / 4, 1.3 + i / 4) for i, word in enumerate(text.split()[:heard])]
        if words:
            await self.event(events.AgentHeard(at=2.0, turn=turn, words=words))

    async def agent_said(self, turn: int, text: str, *, unheard: str = "") -> None:
        """The end of the agent's turn."""
        end = events.AgentTurn(
            at=3.0, turn=turn, text=text, started=1.1, ended=3.0, interrupted=bool(unheard), unheard=unheard
        )
        await self.event(end)

    async def caller_said(self, turn: int, text: str, *, typed: bool = False) -> None:
        source: Any = "typed" if typed else "speech"
        await self.event(events.CallerTurn(at=2.5, turn=turn, text=text, started=1.5, ended=2.3, source=source))

    async def latency(self, turn: int, **changes: Any) -> None:
        spans = [
            {"name": "end_of_turn", "start": 2.3, "end": 2.48, "detail": "smart-turn: finished"},
            {"name": "stt", "start": 2.43, "end": 2.47, "detail": "moonshine"},
            {"name": "llm", "start": 2.5, "end": 2.74, "detail": "qwen2.5-1.5b"},
            {"name": "tts", "start": 2.74, "end": 2.84, "detail": "We are open."},
            {"name": "playout", "start": 2.84, "end": 2.912, "detail": ""},
        ]
        parts = {"total": 0.612, "end_of_turn": 0.18, "stt": 0.04, "llm": 0.24, "tts": 0.095, "playout": 0.057}
        await self.message("latency", turn=turn, **{**parts, **changes}, spans=spans)

    async def received(self, type: str) -> dict[str, Any]:  # noqa: A002
        """The next message of this type from the page; others are passed over."""
        while (message := await self.inbox.get())["type"] != type:
            pass
        return message

    async def heard_frames(self, count: int) -> None:
        """Wait until the page has sent so much sound that is not silence."""
        async with self.progress:
            await self.progress.wait_for(lambda: self.loud_frames >= count)

    async def sent_frames(self, count: int) -> None:
        """Wait until the page has sent so many frames, of sound or of silence."""
        async with self.progress:
            await self.progress.wait_for(lambda: self.frames >= count)

    async def ended(self, reason: str, detail: str = "") -> None:
        await self.event(events.CallEnded(at=9.0, reason=reason, detail=detail))
        await self.message("ended", reason=reason, detail=detail, url="/panel/?call")
        await self.drop(1000)

    async def refuse(self, code: int, **error: str) -> None:
        await self.message("error", error={"request_id": "req-1", "doc_url": None, **error})
        await self.drop(code)

    async def drop(self, code: int = 1012) -> None:
        await self._send({"type": "websocket.close", "code": code})


class PanelServer:
    """Set `script` before the page calls; it runs once for each socket. What it raises is raised by `check`."""

    def __init__(self) -> None:
        self.script: Script = FakeCall.ready
        self.url = ""
        self._sequence = -1
        self._failures: list[BaseException] = []

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def check(self) -> None:
        if self._failures:
            raise self._failures[0]

    async def websocket(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        call = FakeCall(self, query, send)
        script = asyncio.get_running_loop().create_task(self._play(call))
        while (message := await receive())["type"] != "websocket.disconnect":
            if (frame := message.get("bytes")) is not None:
                assert len(frame) == 640, "a frame is 20 ms"
                call.frames += 1
                call.loud_frames += any(frame)
                async with call.progress:
                    call.progress.notify_all()
            else:
                await call.inbox.put(json.loads(message["text"]))
        script.cancel()

    async def _play(self, call: FakeCall) -> None:
        try:
            await self.script(call)
        except Exception as error:  # the test is to see it, on its own thread
            self._failures.append(error)


@contextmanager
def panel_server(port: int = 0) -> Iterator[PanelServer]:
    """The server, running in a thread of its own."""
    fake = PanelServer()
    with override_settings(ROOT_URLCONF="tests.browser.fake_call", WHITENOISE_USE_FINDERS=True, ALLOWED_HOSTS=["*"]):
        site = Client()

        async def application(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "websocket":
                await fake.websocket(scope, receive, send)
                return
            response: Any = await asyncio.to_thread(site.get, scope["path"])
            headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            await send({"type": "http.response.body", "body": response.getvalue()})
            response.close()

        config = uvicorn.Config(
            application, port=port, log_level="warning", lifespan="off", ws="websockets-sansio", log_config=None
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        fake.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            yield fake
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)
