"""Cartesia's Ink: recognition that finds the turns by itself, or that answers when it is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from voice.media import SAMPLE_RATE, seconds
from voice.providers.base import ProviderError
from voice.providers.cartesia.wire import headers, primary
from voice.providers.failures import Failures
from voice.providers.listening import ListeningStt
from voice.providers.recogniser import Heard, Recogniser
from voice.providers.sockets import Connect, Message, ProviderSocket, connect_anywhere, socket_url

MANUAL = "/manual"
# A pause that ends no turn is answered by nothing; by then its words have come. The first ones may take longer.
SETTLE_SECONDS = 0.45
FIRST_SECONDS = 1.5
# How much of the audio that was sent the server has not heard yet when we read its words.
_UNDER_WAY_SECONDS = 0.3
_CLOSE: Message = {"type": "close"}
_MOST_KEYTERMS = 100
_MOST_KEYTERM_CHARACTERS = 1200


class CartesiaStt(ListeningStt):
    """Recognition by an Ink model. `ink-2` judges itself when a turn has ended; `ink-2/manual` and all other models are
    asked for the words at each pause, are sent only speech, and so cost less."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        *,
        connect: Connect = connect_anywhere,
        name: str = "cartesia",
    ) -> None:
        failures = Failures(name, base_url, api_key)
        turns = model.startswith("ink-2") and not model.endswith(MANUAL)
        kind = _Turns if turns else _Manual
        asked = model.removesuffix(MANUAL)

        def protocol(language: str, keyterms: Sequence[str]) -> Recogniser:
            url = socket_url(base_url, kind.path, _query(asked, language if kind is _Manual else "", keyterms))
            return kind(url, headers(api_key), failures, f"model {asked}", connect)

        super().__init__(name, protocol)


class _Ink(Recogniser):
    """What both forms share."""

    path: str

    def __init__(self, url: str, headers: dict[str, str], failures: Failures, what: str, connect: Connect) -> None:
        self.failures = failures
        self._url = url
        self._headers = headers
        self._what = what
        self._connect = connect

    async def connect(self) -> ProviderSocket:
        return await ProviderSocket.open(self._url, self._headers, self.failures, what=self._what, opener=self._connect)

    def audio(self, pcm: bytes) -> Message:
        return pcm

    def _refusal(self, message: dict[str, Any]) -> ProviderError:
        status = message.get("status_code")
        return self.failures.of_status(status if isinstance(status, int) else 500, json.dumps(message), self._what)


class _Manual(_Ink):
    """The words come when they are asked for, in parts that are joined as they are."""

    path = "/stt/websocket"
    goodbye = "close"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._text = ""
        """The fixed words since the last answer."""

    def ask(self, *, over: bool) -> Message:
        return "finalize"

    def heard(self, message: dict[str, Any] | bytes) -> Heard | None:
        if isinstance(message, bytes):
            return None
        match message["type"]:
            case "transcript":
                text = self._text + message["text"]
                if message["is_final"]:
                    self._text = text
                return Heard(text)
            case "flush_done":
                text, self._text = self._text, ""
                return Heard(text, final=True, answers=1)
            case "error":
                raise self._refusal(message)
        return None


class _Turns(_Ink):
    """The server tells its turns, each with all its words so far. It hears the silence as well, for that ends them."""

    path = "/stt/turns/websocket"
    goodbye = _CLOSE
    continuous = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._sent = 0
        self._begin()

    def audio(self, pcm: bytes) -> Message:
        self._sent += len(pcm)
        return pcm

    def ask(self, *, over: bool) -> None:
        if over:
            self._taken = self._transcript
            self.answer_seconds = FIRST_SECONDS

    def heard(self, message: dict[str, Any] | bytes) -> Heard | None:
        if isinstance(message, bytes):
            return None
        match message["type"]:
            case "turn.start":
                self._begin()
            case "turn.update":
                return Heard(self._words(message["transcript"]))
            case "turn.eager_end":
                return Heard(self._words(message["transcript"]), answers=1, turn_ended=True)
            case "turn.end":
                words = self._words(message["transcript"])
                self._begin()
                covers = max(0.0, seconds(self._sent) - _UNDER_WAY_SECONDS)
                return Heard(words, final=True, answers=1, covers=covers, turn_ended=True)
            case "error":
                raise self._refusal(message)
        return None

    def _begin(self) -> None:
        """A turn of the server begins, or is awaited."""
        self._transcript = ""
        """All words of the server's turn."""
        self._taken = ""
        """Those of them that belonged to a turn of ours which is over."""
        self.answer_seconds = FIRST_SECONDS

    def _words(self, transcript: str) -> str:
        """The words of our own turn in the server's, which may have begun before ours."""
        self._transcript = transcript
        if transcript.startswith(self._taken):
            words = transcript[len(self._taken) :]
        else:
            # They are spelt anew now, but seldom in another number.
            words = " ".join(transcript.split()[len(self._taken.split()) :])
        if words:
            self.answer_seconds = SETTLE_SECONDS
        return words


def _query(model: str, language: str, keyterms: Sequence[str]) -> list[tuple[str, str]]:
    query = [("model", model), ("encoding", "pcm_s16le"), ("sample_rate", str(SAMPLE_RATE))]
    if language:
        query.append(("language", primary(language)))
    characters = 0
    for term in keyterms[:_MOST_KEYTERMS]:
        characters += len(term)
        if characters > _MOST_KEYTERM_CHARACTERS:
            break
        query.append(("keyterm", term))
    return query
