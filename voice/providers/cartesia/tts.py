"""Cartesia's Sonic voices, over one WebSocket for all calls."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from voice.media import SAMPLE_RATE
from voice.providers.base import Audio, ProviderError, WordTime
from voice.providers.cartesia.contexts import Contexts, Event, Lost
from voice.providers.cartesia.wire import headers, primary
from voice.providers.failures import Failures, Refused
from voice.providers.sockets import Connect, connect_anywhere, socket_url
from voice.text.pronunciation import Phonemes

# The account's pieces at the same time are counted, and each lasts a moment: one that was refused may soon be made.
BUSY_SECONDS = 0.3
_SLOWEST, _FASTEST = 0.6, 1.5


class CartesiaTts:
    """Speech by a Sonic model. One object serves all calls; `close` closes its WebSocket."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        *,
        connect: Connect = connect_anywhere,
        name: str = "cartesia",
    ) -> None:
        self.name = name
        self.phonemes: Phonemes = "cartesia"
        self._model = model
        self._failures = Failures(name, base_url, api_key)
        url = socket_url(base_url, "/tts/websocket")
        self._contexts = Contexts(url, headers(api_key), self._failures, connect=connect)

    async def close(self) -> None:
        await self._contexts.close()

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        """Speak one piece of text, with the times of its words. Closing the iterator cancels the work.

        What fails before the first sound, with the socket or for a moment, is tried once more. Raises ProviderError.
        """
        heard = False
        for last_try in (False, True):
            try:
                async with aclosing(self._once(text, voice, speed, language)) as pieces:  # type: ignore[type-var]
                    async for audio in pieces:
                        heard = True
                        yield audio
                return
            except ProviderError as error:
                wait = None if heard or last_try else _wait_before_retry(error)
                if wait is None:
                    raise
            await asyncio.sleep(wait)

    async def _once(self, text: str, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        words = _Words(len(text.split()))
        heard = False
        request = self._request(text, voice, speed, language)
        async with aclosing(self._contexts.events(request, what=f"voice {voice}")) as events:  # type: ignore[type-var]
            async for event in events:
                match event.get("type"):
                    case "chunk":
                        if pcm := self._pcm(event):
                            heard = True
                            yield Audio(pcm, words.take())
                    case "timestamps":
                        self._note(words, event)
                    case "error":
                        raise self._refusal(event, f"voice {voice}")
        if not heard:
            raise self._failures.nothing()
        if late := words.take(whole=True):
            yield Audio(b"", late)

    def _request(self, text: str, voice: str, speed: float, language: str) -> dict[str, Any]:
        return {
            "model_id": self._model,
            "transcript": text,
            "voice": {"mode": "id", "id": voice},
            "language": primary(language),
            "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": SAMPLE_RATE},
            "generation_config": {"speed": min(max(speed, _SLOWEST), _FASTEST)},
            "add_timestamps": True,
            # The piece is whole: it is spoken at once, with no wait for more.
            "continue": False,
        }

    def _pcm(self, event: Event) -> bytes:
        try:
            return base64.b64decode(event["data"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise self._failures.garbled(str(event)) from None

    def _note(self, words: _Words, event: Event) -> None:
        try:
            words.add(event["word_timestamps"])
        except (KeyError, TypeError, ValueError):
            raise self._failures.garbled(str(event)) from None

    def _refusal(self, event: Event, what: str) -> ProviderError:
        status = event.get("status_code")
        return self._failures.of_status(status if isinstance(status, int) else 500, json.dumps(event), what)


class _Words:
    """The times of a piece's words, which come in parts."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._times: list[WordTime] = []
        self._taken = 0

    def add(self, part: dict[str, list[Any]]) -> None:
        """Take `{words, start, end}`, lists of the same length. Raises KeyError, TypeError, ValueError."""
        for word, start, end in zip(part["words"], part["start"], part["end"], strict=True):
            self._times.append(WordTime(str(word), float(start), float(end)))

    def take(self, *, whole: bool = False) -> Sequence[WordTime]:
        """All times, once each word has one or, with `whole`, no more will come; nothing if they were taken before.

        Audio is made much faster than it is heard. Times of some of the words would put all of the text on them.
        """
        if len(self._times) == self._taken or not (whole or len(self._times) >= self._expected):
            return ()
        self._taken = len(self._times)
        return tuple(self._times)


def _wait_before_retry(error: ProviderError) -> float | None:
    """Seconds after which a piece may be asked for again; None if that is of no use."""
    if isinstance(error, Lost):
        return 0.0
    return BUSY_SECONDS if isinstance(error, Refused) and error.status in (429, 503) else None
