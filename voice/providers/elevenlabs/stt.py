"""ElevenLabs' live recognition, Scribe, with its segments committed at our pauses."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from voice.media import SAMPLE_RATE
from voice.providers.base import ProviderError
from voice.providers.elevenlabs import account as elevenlabs
from voice.providers.failures import Failures
from voice.providers.listening import ListeningStt
from voice.providers.recogniser import Heard, Recogniser
from voice.providers.sockets import Message, ProviderSocket, socket_url
from voice.providers.vendor import Account

# How long the server may take to say that its session has begun.
SESSION_SECONDS = 3.0
KEEP_ALIVE_AUDIO_SECONDS = 0.1
# What a server's report would have been called over HTTP.
_STATUS = {
    "auth_error": 401,
    "quota_exceeded": 402,
    "quota_exceeded_error": 402,
    "unaccepted_terms": 403,
    "unaccepted_terms_error": 403,
    "rate_limited": 429,
}
_TOO_LITTLE = ("commit_throttled", "insufficient_audio_activity")
_FAILURES = (
    *_STATUS,
    "error",
    "transcriber_error",
    "input_error",
    "queue_overflow",
    "resource_exhausted",
    "session_time_limit_exceeded",
    "chunk_size_exceeded",
)


def elevenlabs_stt(account: Account, model: str) -> ListeningStt:
    return ListeningStt(elevenlabs.name(account), lambda language, keyterms: Scribe(account, model, language, keyterms))


class Scribe(Recogniser):
    def __init__(self, account: Account, model: str, language: str, keyterms: Sequence[str]) -> None:
        self.failures = Failures(elevenlabs.name(account), account.base_url, account.api_key)
        self.keep_alive = _chunk(bytes(2 * round(KEEP_ALIVE_AUDIO_SECONDS * SAMPLE_RATE)))
        self.keep_alive_audio = KEEP_ALIVE_AUDIO_SECONDS
        self._account = account
        self._model = model
        self._language = language
        self._keyterms = keyterms

    async def connect(self) -> ProviderSocket:
        query: list[tuple[str, object]] = [
            ("model_id", self._model),
            ("audio_format", f"pcm_{SAMPLE_RATE}"),
            ("commit_strategy", "manual"),
            *([("language_code", self._language.partition("-")[0])] if self._language else ()),
            *(("keyterms", term) for term in self._keyterms),
        ]
        socket = await ProviderSocket.open(
            socket_url(self._account.base_url, "/v1/speech-to-text/realtime", query),
            elevenlabs.headers(self._account),
            self.failures,
            what=self._what,
            opener=self._account.connect,
        )
        try:
            await self._begun(socket)
        except BaseException:
            await socket.close()
            raise
        return socket

    def audio(self, pcm: bytes) -> Message:
        return _chunk(pcm)

    def ask(self, *, over: bool) -> Message:
        return _chunk(b"", commit=True)

    def heard(self, message: dict[str, Any] | bytes) -> Heard | None:
        if isinstance(message, bytes):
            raise self.failures.garbled(repr(message[:40]))
        match message["message_type"]:
            case "partial_transcript":
                return Heard(str(message["text"]))
            case "committed_transcript":
                return Heard(str(message["text"]), final=True, answers=1)
            case kind if kind in _TOO_LITTLE:
                return Heard("", answers=1)
            case kind if kind in _FAILURES:
                raise self._failure(str(kind), message)
        return None

    @property
    def _what(self) -> str:
        return f"model named {self._model}"

    async def _begun(self, socket: ProviderSocket) -> None:
        """Wait until the session has begun: before, the server may still refuse it. Raises ProviderError."""
        message = await socket.receive(SESSION_SECONDS)
        if message is None:
            raise self.failures.nothing()
        kind = message.get("message_type") if isinstance(message, dict) else None
        if kind in _FAILURES and isinstance(message, dict):
            raise self._failure(str(kind), message)
        if kind != "session_started":
            raise self.failures.garbled(str(message))

    def _failure(self, kind: str, message: dict[str, Any]) -> ProviderError:
        said = str(message.get("error") or message.get("message") or kind)
        status = _STATUS.get(kind)
        if status is None:
            return self.failures.told(said)
        return self.failures.of_status(status, json.dumps({"message": said}), self._what)


def _chunk(pcm: bytes, *, commit: bool = False) -> dict[str, object]:
    return {
        "message_type": "input_audio_chunk",
        "audio_base_64": b64encode(pcm).decode(),
        "commit": commit,
        "sample_rate": SAMPLE_RATE,
    }
