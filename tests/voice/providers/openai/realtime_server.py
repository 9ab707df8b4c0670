"""A server that speaks OpenAI's realtime protocol, event by event in the official SDK's shapes, in real time."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from tests.voice.providers.fake_socket import Peer

RATE = 24_000
PREFIX_MS = 300
# A hundredth of the real thing: what is long on a call is short here.
CHUNK_SECONDS = 0.1


class Session:
    """One client's session: the script's hand on the protocol."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.config: dict[str, Any] = {}
        self._events = 0
        self._responses = 0

    async def send(self, kind: str, **content: Any) -> None:
        self._events += 1
        await self.peer.send({"type": kind, "event_id": f"event_{self._events}", **content})

    async def ready(self) -> None:
        """Greet, and take the session that is wanted."""
        await self.send("session.created", session={"type": "realtime", "object": "realtime.session", "id": "sess_1"})
        asked = await self.wait("session.update")
        self.config = asked["session"]
        await self.send("session.updated", session=self.config)

    async def wait(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.peer.read_until(
            lambda message: isinstance(message, dict) and message["type"] == kind
        )
        return found

    async def stay(self) -> None:
        while True:
            await self.peer.read()

    @property
    def heard(self) -> bytes:
        """The caller's audio so far."""
        parts = (m["audio"] for m in self.peer.received if m["type"] == "input_audio_buffer.append")
        return b"".join(base64.b64decode(part) for part in parts)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.peer.received if message["type"] == kind]

    # --- the caller

    async def caller_speaks(self, item: str, start_ms: int = 0) -> None:
        await self.send("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=item)

    async def caller_stops(self, item: str, text: str | None = None, end_ms: int = 1000) -> None:
        await self.send("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=item)
        await self.send("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        content = [{"type": "input_audio", "transcript": None}]
        message = {"id": item, "object": "realtime.item", "type": "message", "status": "completed", "role": "user"}
        await self.send("conversation.item.added", item={**message, "content": content}, previous_item_id=None)
        if text is not None:
            await self.transcribed(item, text)

    async def transcribed(self, item: str, text: str) -> None:
        kind = "conversation.item.input_audio_transcription"
        await self.send(f"{kind}.delta", item_id=item, content_index=0, delta=text.split()[0])
        usage = {"type": "tokens", "input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        await self.send(f"{kind}.completed", item_id=item, content_index=0, transcript=text, usage=usage)

    # --- the model

    async def respond(
        self,
        text: str = "",
        *,
        metadata: dict[str, str] | None = None,
        seconds: float = 0.2,
        call: dict[str, str] | None = None,
        stop_at: int = 1000,
        name: str = "",
    ) -> str:
        """One response with speech, a function call or both; `stop_at` chunks of audio it is left unfinished."""
        self._responses += 1
        response = name or f"resp_{self._responses}"
        await self.send("response.created", response=self._response(response, "in_progress", metadata))
        await self.send("rate_limits.updated", rate_limits=[{"name": "tokens", "limit": 100, "remaining": 90}])
        output: list[dict[str, Any]] = []
        if text:
            item = f"item_{response}"
            if not await self._speech(response, item, text, seconds, stop_at):
                return response
            content = [{"type": "output_audio", "transcript": text}]
            output.append(
                {"id": item, "type": "message", "role": "assistant", "status": "completed", "content": content}
            )
        if call is not None:
            output.append(await self._call(response, len(output), call))
        await self.done(response, metadata=metadata, output=output)
        return response

    async def done(
        self,
        response: str,
        status: str = "completed",
        *,
        metadata: dict[str, str] | None = None,
        output: list[dict[str, Any]] | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        usage = {
            "total_tokens": 150,
            "input_tokens": 100,
            "output_tokens": 50,
            "input_token_details": {
                "text_tokens": 20,
                "audio_tokens": 80,
                "cached_tokens": 64,
                "cached_tokens_details": {"text_tokens": 24, "audio_tokens": 40},
            },
            "output_token_details": {"text_tokens": 10, "audio_tokens": 40},
        }
        shape = self._response(response, status, metadata)
        await self.send(
            "response.done", response={**shape, "output": output or [], "usage": usage, "status_details": details}
        )

    async def error(self, message: str, *, code: str | None = None, event_id: str | None = None, **more: Any) -> None:
        shape = {"type": "invalid_request_error", "code": code, "message": message, "param": None, "event_id": event_id}
        await self.send("error", error={**shape, **more})

    def _response(self, response: str, status: str, metadata: dict[str, str] | None) -> dict[str, Any]:
        shape = {"id": response, "object": "realtime.response", "status": status, "metadata": metadata}
        return {**shape, "output": [], "output_modalities": ["audio"], "conversation_id": "conv_1"}

    async def _speech(self, response: str, item: str, text: str, seconds: float, stop_at: int) -> bool:
        where = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        message = {"id": item, "object": "realtime.item", "type": "message", "role": "assistant", "content": []}
        added = {"response_id": response, "output_index": 0, "item": {**message, "status": "in_progress"}}
        await self.send("response.output_item.added", **added)
        await self.send("conversation.item.added", item=added["item"], previous_item_id=None)
        await self.send("response.content_part.added", **where, part={"type": "audio", "transcript": ""})
        for number, word in enumerate(text.split(" ")):
            delta = word if number == 0 else f" {word}"
            await self.send("response.output_audio_transcript.delta", **where, delta=delta)
        for number in range(round(seconds / CHUNK_SECONDS)):
            if number == stop_at:
                return False
            tone = np.full(round(RATE * CHUNK_SECONDS), 8000, "<i2").tobytes()
            await self.send("response.output_audio.delta", **where, delta=base64.b64encode(tone).decode())
            await asyncio.sleep(0.001)
        await self.send("response.output_audio.done", **where)
        await self.send("response.output_audio_transcript.done", **where, transcript=text)
        whole = {**message, "status": "completed", "content": [{"type": "output_audio", "transcript": text}]}
        await self.send("response.output_item.done", response_id=response, output_index=0, item=whole)
        return True

    async def _call(self, response: str, index: int, call: dict[str, str]) -> dict[str, Any]:
        item = {"id": f"item_{call['call_id']}", "type": "function_call", "status": "completed", **call}
        where = {"response_id": response, "output_index": index}
        await self.send("response.output_item.added", **where, item={**item, "status": "in_progress", "arguments": ""})
        await self.send("response.function_call_arguments.done", **where, item_id=item["id"], **call)
        await self.send("response.output_item.done", **where, item=item)
        return item


Play = Callable[[Session], Awaitable[None]]


def playing(play: Play, *, ready: bool = True) -> Callable[[Peer], Awaitable[None]]:
    """A script for the server: the session is set up, and then it plays."""

    async def script(peer: Peer) -> None:
        session = Session(peer)
        if ready:
            await session.ready()
        await play(session)
        await session.stay()

    return script


def text_of(item: dict[str, Any]) -> str:
    """An item that a client creates, in short."""
    if item["type"] == "message":
        return f"{item['role']}: {item['content'][0]['text']}"
    return f"{item['type']}: {item.get('output') or json.dumps(item)}"
