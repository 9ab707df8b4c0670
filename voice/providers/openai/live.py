"""Recognition by OpenAI's realtime transcription: a WebSocket that is told when the caller has paused."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Sequence
from typing import Any

from voice.media import SAMPLE_RATE
from voice.media.pcm import PcmResampler
from voice.providers.base import ProviderError
from voice.providers.failures import Failures
from voice.providers.recogniser import Heard, Recogniser
from voice.providers.sockets import Connect, Message, ProviderSocket

READY_SECONDS = 5.0
# The only rate that the server takes.
WIRE_RATE = 24_000
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
}
_TRANSCRIPTION = "conversation.item.input_audio_transcription."


class LiveRecogniser(Recogniser):
    """One transcription session. At each pause what was said becomes an item; items may be recognised in any order."""

    def __init__(
        self, url: str, headers: dict[str, str], failures: Failures, transcription: dict[str, Any], connect: Connect
    ) -> None:
        self.failures = failures
        self._url = url
        self._headers = headers
        self._transcription = transcription
        self._what = f"model {transcription['model']}"
        self._connect = connect
        self._resampler = PcmResampler(SAMPLE_RATE, WIRE_RATE)
        self._asked: deque[str] = deque()
        """The items of the questions that are not answered yet, in their order."""
        self._texts: dict[str, str] = {}
        """The words of the items that are not told yet, in the order of the items."""
        self._whole: set[str] = set()

    async def connect(self) -> ProviderSocket:
        socket = await ProviderSocket.open(
            self._url, self._headers, self.failures, what=self._what, opener=self._connect
        )
        try:
            await socket.send({"type": "session.update", "session": self._session()})
            await self._ready(socket)
        except BaseException:
            await socket.close()
            raise
        return socket

    def audio(self, pcm: bytes) -> Message:
        audio = self._resampler.process(pcm)
        return {"type": "input_audio_buffer.append", "audio": base64.b64encode(audio).decode()}

    def ask(self, *, over: bool) -> Message:
        return {"type": "input_audio_buffer.commit"}

    def heard(self, message: dict[str, Any] | bytes) -> Heard | None:
        if isinstance(message, bytes):
            return None
        kind = message["type"]
        if kind == "error":
            return self._reported(message["error"])
        if kind == "input_audio_buffer.committed":
            self._asked.append(message["item_id"])
            self._texts.setdefault(message["item_id"], "")
        elif kind == _TRANSCRIPTION + "delta":
            item = message["item_id"]
            self._texts[item] = self._texts.get(item, "") + (message.get("delta") or "")
            return Heard(self._so_far())
        elif kind == _TRANSCRIPTION + "completed":
            self._texts[message["item_id"]] = message["transcript"]
            self._whole.add(message["item_id"])
            return self._answer()
        elif kind == _TRANSCRIPTION + "failed":
            raise self._refusal(message["error"])
        return None

    def _answer(self) -> Heard:
        """The words of all items that are whole, and come before those that are not."""
        texts = []
        while self._asked and self._asked[0] in self._whole:
            item = self._asked.popleft()
            self._whole.discard(item)
            texts.append(self._texts.pop(item).strip())
        if not texts:
            return Heard(self._so_far())
        return Heard(" ".join(filter(None, texts)), final=True, answers=len(texts))

    def _so_far(self) -> str:
        return " ".join(filter(None, (text.strip() for text in self._texts.values())))

    def _reported(self, error: dict[str, Any]) -> Heard:
        """What an error means. Only one is none: that there was hardly a sound since the last question."""
        if error.get("code") == "input_audio_buffer_commit_empty":
            return Heard("", answers=1)
        raise self._refusal(error)

    def _refusal(self, error: dict[str, Any]) -> ProviderError:
        status = _STATUS.get(error.get("code") or "") or _STATUS.get(error.get("type") or "", 500)
        return self.failures.of_status(status, json.dumps(error), self._what)

    async def _ready(self, socket: ProviderSocket) -> None:
        """Wait until the session is as we want it. Raises ProviderError."""
        while (message := await socket.receive(READY_SECONDS)) is not None:
            if not isinstance(message, dict):
                continue
            if message.get("type") == "error":
                raise self._refusal(message.get("error") or {})
            if message.get("type") in ("session.updated", "transcription_session.updated"):
                return
        raise self.failures.nothing()

    def _session(self) -> dict[str, Any]:
        heard = {
            "format": {"type": "audio/pcm", "rate": WIRE_RATE},
            "transcription": self._transcription,
            # Our own voice activity says when the caller has paused.
            "turn_detection": None,
        }
        return {"type": "transcription", "audio": {"input": heard}}


def transcription_of(model: str, language: str, keyterms: Sequence[str]) -> dict[str, Any]:
    """How the server shall recognise. Models differ in what they take of key terms."""
    wanted: dict[str, Any] = {"model": model}
    if language:
        wanted["language"] = language
    if keyterms and model.startswith(("gpt-live-transcribe", "gpt-transcribe")):
        wanted["keywords"] = list(keyterms)
    elif keyterms and not model.startswith("gpt-realtime-whisper"):
        wanted["prompt"] = ", ".join(keyterms)
    return wanted
