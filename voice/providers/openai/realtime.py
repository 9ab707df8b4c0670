"""Speech-to-speech by OpenAI's realtime models, and by servers that speak their protocol."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

from voice.media import SAMPLE_RATE
from voice.media.pcm import PcmResampler
from voice.providers.base import ProviderError, ToolRequest
from voice.providers.failures import Failures
from voice.providers.openai.realtime_items import Items, caller_said, result_of
from voice.providers.openai.realtime_link import Link, leave
from voice.providers.openai.realtime_replies import Replies
from voice.providers.openai.realtime_wire import (
    FINISHES,
    PREFIX_MS,
    WIRE_RATE,
    Detection,
    appended,
    created,
    failure_of,
    is_busy,
    refusal,
    requests_in,
    session_of,
    usage_of,
)
from voice.providers.realtime import RealtimeListener, RealtimeSettings, ReplyDone
from voice.providers.sockets import Connect, ProviderSocket, connect_anywhere, socket_url

READY_SECONDS = 5.0

# What is kept of the caller's audio for the next connection, should this one be lost: while they are silent, the last
# of it; while they speak or nobody hears them, as much as can be of use.
_SILENT_BYTES = SAMPLE_RATE
_SPEECH_BYTES = 15 * 2 * SAMPLE_RATE
_AUDIO_BYTES = SAMPLE_RATE // 5
# Messages of ours so named may be refused: what they were about has solved itself.
_TRIFLE = "trifle"
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


class OpenAiRealtime:
    """Speech-to-speech by one model of a server; `base_url` is what comes before `/realtime`.

    One object serves all calls; `close` ends what is left of their sessions. Where people type the address, hand it a
    `connect` that refuses private ones. `transcription` names the model that writes down the caller's words; empty
    writes nothing down. `detection` is how the server decides that the caller has finished: by silence or by sense.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        *,
        transcription: str = "gpt-4o-mini-transcribe",
        detection: Detection = "server_vad",
        connect: Connect = connect_anywhere,
        name: str = "openai",
    ) -> None:
        self.name = name
        self.model = model
        self.transcription = transcription
        self.detection: Detection = detection
        self.failures = Failures(name, base_url.rstrip("/"), api_key)
        self._url = socket_url(base_url, "/realtime", [("model", model)])
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._connect = connect
        self._sessions: set[OpenAiSession] = set()

    def open(self, settings: RealtimeSettings, listener: RealtimeListener) -> OpenAiSession:
        """Begin the session of one call."""
        session = OpenAiSession(self, settings, listener, gone=self._sessions.discard)
        self._sessions.add(session)
        return session

    async def close(self) -> None:
        await asyncio.gather(*(session.close() for session in tuple(self._sessions)))

    async def connect(self) -> ProviderSocket:
        """Raises ProviderError."""
        return await ProviderSocket.open(
            self._url, self._headers, self.failures, what=f"model {self.model}", opener=self._connect
        )


class OpenAiSession:
    """One call's session, over as many connections as it takes."""

    def __init__(
        self,
        realtime: OpenAiRealtime,
        settings: RealtimeSettings,
        listener: RealtimeListener,
        *,
        gone: Callable[[OpenAiSession], None],
    ) -> None:
        self._realtime = realtime
        self._failures = realtime.failures
        self._what = f"model {realtime.model}"
        self._settings = settings
        self._language = _plain(settings.language)
        self._listener = listener
        self._gone = gone
        self._items = Items()
        self._replies = Replies()
        self._owed = False
        """The server is to answer the caller, and has not begun to."""
        self._speaking = False
        self._unwritten: dict[str, str] = {}
        """The words so far of what the caller has said, where not all of them are known."""
        self._received: dict[str, int] = {}
        """Bytes of audio of each item of the agent's, as the server counts them."""
        self._unheard = bytearray()
        self._resampler = PcmResampler(SAMPLE_RATE, WIRE_RATE)
        self._fed = 0
        self._link = Link(self, realtime.failures)

    # --- what the call wants

    def feed(self, frame: bytes) -> None:
        self._unheard += frame
        limit = _SPEECH_BYTES if self._speaking or not self._link.up else _SILENT_BYTES
        if len(self._unheard) > limit + _SILENT_BYTES:
            del self._unheard[:-limit]
        if self._link.up:
            self._send_audio(frame)

    def discard(self) -> None:
        self._unheard.clear()
        self._speaking = self._owed = False
        self._link.post({"type": "input_audio_buffer.clear"})

    def respond(self, *, say: str = "", aside: bool = False) -> str:
        name = self._replies.want(say=say, aside=aside)
        self._ask()
        return name

    def cancel(self) -> None:
        self._owed = False
        for response in self._replies.cancel():
            self._stop(response)

    def add(self, text: str) -> None:
        self._create(caller_said(text))

    def give_result(self, request: str, text: str) -> None:
        self._create(result_of(request, text))

    def truncate(self, item: str, heard: float, text: str) -> None:
        # The server refuses to cut where there is nothing to be cut off, or nothing left.
        cut = min(int(1000 * heard), self._received.get(item, 0) * 1000 // (2 * WIRE_RATE))
        self._items.cut(item, text)
        if cut > 0:
            place = {"item_id": item, "content_index": 0, "audio_end_ms": cut}
            self._link.post({"type": "conversation.item.truncate", "event_id": _TRIFLE, **place})
        else:
            self._link.post({"type": "conversation.item.delete", "event_id": _TRIFLE, "item_id": item})

    def listen_in(self, language: str) -> None:
        self._language = _plain(language)
        wanted = self._wanted_session()
        heard = {"transcription": wanted["audio"]["input"]["transcription"]}
        self._link.post({"type": "session.update", "session": {"type": "realtime", "audio": {"input": heard}}})

    async def close(self) -> None:
        await self._link.close()
        self._gone(self)

    def _create(self, item: dict[str, Any]) -> None:
        self._items.add(item)
        self._link.post(created(item))

    def _ask(self) -> None:
        """Ask for the replies that can be made now."""
        if self._link.up:
            for message in self._replies.due():
                self._link.post(message)

    def _stop(self, response: str) -> None:
        self._link.post({"type": "response.cancel", "event_id": _TRIFLE, "response_id": response})

    def _send_audio(self, pcm: bytes) -> None:
        self._fed += len(pcm)
        self._link.post(appended(self._resampler.process(pcm)))

    def _wanted_session(self) -> dict[str, Any]:
        return session_of(
            self._settings,
            language=self._language,
            transcription=self._realtime.transcription,
            detection=self._realtime.detection,
        )

    # --- connections

    async def connect(self) -> ProviderSocket:
        socket = await self._realtime.connect()
        try:
            await socket.send({"type": "session.update", "session": self._wanted_session()})
            while (message := await socket.receive(READY_SECONDS)) is not None:
                if not isinstance(message, dict):
                    continue
                if message.get("type") == "error":
                    raise refusal(self._failures, message.get("error") or {}, self._what)
                if message.get("type") == "session.updated":
                    return socket
            raise self._failures.nothing()
        except BaseException:
            await leave(socket)
            raise

    def connected(self) -> None:
        """Tell what was said so far, and let the caller be heard where nobody has heard them yet."""
        self._fed = 0
        self._resampler = PcmResampler(SAMPLE_RATE, WIRE_RATE)
        for item in self._items.all():
            self._link.post(created(item))
        for start in range(0, len(self._unheard), _AUDIO_BYTES):
            self._send_audio(bytes(self._unheard[start : start + _AUDIO_BYTES]))
        if self._owed:
            self._owed = False
            self._replies.want()
        self._ask()

    def disconnected(self, error: ProviderError) -> None:
        self._listener.trouble(error)
        for said in self._unwritten:
            self._listener.not_understood(said, error)
        self._unwritten.clear()
        for reply in self._replies.lost():
            done = ReplyDone(finish="cancelled") if reply.unwanted else ReplyDone(finish="error", error=error)
            self._listener.finished(reply.name, done)

    def lost(self, error: ProviderError) -> None:
        self._listener.lost(error)

    # --- what the server tells

    def take(self, kind: str, message: dict[str, Any]) -> None:
        if kind == "input_audio_buffer.speech_started":
            self._speech_started(message)
        elif kind == "input_audio_buffer.speech_stopped":
            self._speech_stopped(message)
        elif kind.startswith(_TRANSCRIPTION):
            self._transcribed(kind.removeprefix(_TRANSCRIPTION), message)
        elif kind == "response.created":
            self._created(message["response"])
        elif kind == "response.done":
            self._done(message["response"])
        elif kind.startswith("response."):
            self._said(kind.removeprefix("response."), message)
        elif kind == "error":
            self._reported(message["error"])

    def _speech_started(self, message: dict[str, Any]) -> None:
        if self._settings.interruptible:
            self._replies.interrupted()
        if not self._speaking:
            self._speaking = True
            self._listener.speech_started(self._ago(message["audio_start_ms"] + PREFIX_MS))

    def _speech_stopped(self, message: dict[str, Any]) -> None:
        if not self._speaking:
            return
        silence = round(1000 * self._settings.silence) if self._realtime.detection == "server_vad" else 0
        self._speaking, self._owed = False, self._settings.interruptible
        self._unheard.clear()
        self._items.heard(message["item_id"])
        if self._realtime.transcription:
            self._unwritten.setdefault(message["item_id"], "")
        self._listener.speech_stopped(message["item_id"], self._ago(message["audio_end_ms"] - silence))
        if not self._settings.interruptible:
            self._replies.want()
            self._ask()

    def _ago(self, position_ms: int) -> float:
        return max(0.0, self._fed / (2 * SAMPLE_RATE) - position_ms / 1000)

    def _transcribed(self, kind: str, message: dict[str, Any]) -> None:
        item = message["item_id"]
        if kind == "delta":
            self._unwritten[item] = self._unwritten.get(item, "") + (message.get("delta") or "")
            self._listener.understood(item, self._unwritten[item].strip(), final=False)
        elif kind == "completed":
            self._unwritten.pop(item, None)
            self._items.understood(item, message["transcript"].strip())
            self._listener.understood(item, message["transcript"].strip(), final=True)
        elif kind == "failed":
            self._unwritten.pop(item, None)
            self._listener.not_understood(item, refusal(self._failures, message.get("error") or {}, "transcription"))

    def _created(self, response: dict[str, Any]) -> None:
        reply = self._replies.created(response, owed=self._owed)
        if reply.unwanted:
            self._stop(response["id"])
            return
        if not reply.aside:
            self._owed = False
        self._listener.began(reply.name)

    def _said(self, kind: str, message: dict[str, Any]) -> None:
        """Some of a reply's content."""
        reply = self._replies.made(message.get("response_id") or "")
        if reply is None:
            return
        if kind == "output_audio.delta":
            item, audio = message["item_id"], base64.b64decode(message["delta"])
            self._received[item] = self._received.get(item, 0) + len(audio)
            self._listener.spoke(reply.name, item, reply.audio(item, audio))
        elif kind == "output_audio.done":
            self._listener.spoke(reply.name, message["item_id"], reply.rest(message["item_id"]))
        elif kind == "output_audio_transcript.delta":
            if not reply.aside:
                self._items.wrote(message["item_id"], message["delta"])
            self._listener.wrote(reply.name, message["item_id"], message["delta"])
        elif kind == "output_item.done":
            reply.items.append(message["item"])

    def _done(self, response: dict[str, Any]) -> None:
        reply = self._replies.done(response["id"])
        if reply is None:
            return
        requests: list[ToolRequest] = []
        error = None
        finish: Any = "cancelled" if reply.unwanted else FINISHES[response["status"]]
        if finish == "stop" and (requests := requests_in(response.get("output") or reply.items)):
            finish = "tool_calls"
            for request in requests:
                self._items.called(request)
        elif finish in ("error", "length") and (error := failure_of(self._failures, response, self._what)):
            finish = "error"
        done = ReplyDone(finish=finish, requests=requests, usage=usage_of(response.get("usage")), error=error)
        self._listener.finished(reply.name, done)
        self._ask()

    def _reported(self, error: dict[str, Any]) -> None:
        about = error.get("event_id")
        if error.get("code") == "session_expired":
            raise self._failures.told(error.get("message") or "The session is over")
        if is_busy(error):
            self._replies.postpone(about)
        elif (reply := self._replies.refused(about)) is not None:
            failure = refusal(self._failures, error, self._what)
            self._listener.finished(reply.name, ReplyDone(finish="error", error=failure))
            self._ask()
        elif about != _TRIFLE:
            self._listener.trouble(refusal(self._failures, error, self._what))


def _plain(language: str) -> str:
    return language.partition("-")[0].lower()
