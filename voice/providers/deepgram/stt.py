"""Deepgram's live recognition: Nova over `/v1/listen`, Flux over `/v2/listen`.

Nova gives segments, which `Finalize` cuts at our pauses. Flux follows whole turns by itself and reports them four times
a second, so that the report which reaches our pause is the answer to it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any

from voice.media import SAMPLE_RATE, seconds
from voice.providers.deepgram import account as deepgram
from voice.providers.failures import Failures
from voice.providers.listening import ListeningStt
from voice.providers.recogniser import Heard, Recogniser
from voice.providers.sockets import Message, ProviderSocket, socket_url
from voice.providers.vendor import Account

# Deepgram does not promise an answer to Finalize when there is little to finalize.
FINALIZE_SECONDS = 1.0
# Our pause has lasted a little when we hear of it: words that reach up to there are all words.
PAUSE_SECONDS = 0.1
# From this confidence on Flux says that the speaker may have finished; from 0.7 on, its default, that they have.
EAGER_THRESHOLD = 0.5

_KEEP_ALIVE: Message = {"type": "KeepAlive"}
_GOODBYE: Message = {"type": "CloseStream"}

Query = list[tuple[str, object]]


def deepgram_stt(account: Account, model: str) -> ListeningStt:
    """Recognition by a model of either family; its name tells which."""
    family = Flux if model.startswith("flux") else Nova
    return ListeningStt(deepgram.name(account), lambda language, keyterms: family(account, model, language, keyterms))


class _Deepgram(Recogniser):
    """What the two families have in common."""

    path: str
    terms = "keyterm"
    goodbye = _GOODBYE

    def __init__(self, account: Account, model: str, language: str, keyterms: Sequence[str]) -> None:
        self.failures = Failures(deepgram.name(account), account.base_url, account.api_key)
        self._account = account
        self._model = model
        self._language = language
        self._keyterms = keyterms

    def query(self) -> Query:
        return [
            ("model", self._model),
            ("encoding", "linear16"),
            ("sample_rate", SAMPLE_RATE),
            *((self.terms, term) for term in self._keyterms),
        ]

    async def connect(self) -> ProviderSocket:
        return await ProviderSocket.open(
            socket_url(self._account.base_url, self.path, self.query()),
            deepgram.headers(self._account),
            self.failures,
            what=f"model named {self._model}",
            opener=self._account.connect,
        )

    def audio(self, pcm: bytes) -> Message:
        return pcm

    def heard(self, message: dict[str, Any] | bytes) -> Heard | None:
        if isinstance(message, bytes):
            return None
        if message["type"] == "Error":
            raise self.failures.told(str(message.get("description") or message.get("message") or ""))
        return self.results(message)

    @abstractmethod
    def results(self, message: dict[str, Any]) -> Heard | None:
        """What a message means that reports no failure."""


class Nova(_Deepgram):
    path = "/v1/listen"
    answer_seconds = FINALIZE_SECONDS
    keep_alive = _KEEP_ALIVE

    def __init__(self, account: Account, model: str, language: str, keyterms: Sequence[str]) -> None:
        super().__init__(account, model, language, keyterms)
        if not model.startswith("nova-3"):
            # Older models know boosted keywords instead.
            self.terms = "keywords"

    def query(self) -> Query:
        return [
            *super().query(),
            ("channels", 1),
            ("language", self._language or "multi"),
            ("interim_results", "true"),
            ("punctuate", "true"),
            # The pauses are ours to find.
            ("endpointing", "false"),
        ]

    def ask(self, *, over: bool) -> Message:
        return {"type": "Finalize"}

    def results(self, message: dict[str, Any]) -> Heard | None:
        if message["type"] != "Results":
            return None
        final = bool(message["is_final"])
        return Heard(
            str(message["channel"]["alternatives"][0]["transcript"]),
            final=final,
            answers=int(bool(message.get("from_finalize"))),
            covers=float(message["start"]) + float(message["duration"]) if final else None,
        )


class Flux(_Deepgram):
    path = "/v2/listen"
    continuous = True

    def __init__(self, account: Account, model: str, language: str, keyterms: Sequence[str]) -> None:
        super().__init__(account, model, language, keyterms)
        self._sent = 0.0
        self._pauses: deque[float] = deque()
        self._turn: int | None = None
        """The turn that is going on, in Flux's count."""
        self._over = -1
        """Up to this turn, everything was said before the turn of ours."""
        self._ended = False

    def query(self) -> Query:
        multilingual = self._model.endswith("multi") and self._language
        hint = [("language_hint", self._language)] if multilingual else []
        return [*super().query(), ("eager_eot_threshold", EAGER_THRESHOLD), *hint]

    def audio(self, pcm: bytes) -> Message:
        self._sent += seconds(len(pcm))
        return pcm

    def ask(self, *, over: bool) -> Message | None:
        self._pauses.append(self._sent - PAUSE_SECONDS)
        if not over or self._turn is None:
            return None
        self._over = self._turn
        return {"type": "ForceEndTurn"}

    def results(self, message: dict[str, Any]) -> Heard | None:
        if message["type"] != "TurnInfo":
            return None
        event, turn, reached = message["event"], int(message["turn_index"]), float(message["audio_window_end"])
        text = str(message["transcript"])
        self._follow(event, turn, bool(text))
        answers = 0
        while self._pauses and self._pauses[0] <= reached:
            self._pauses.popleft()
            answers += 1
        if turn <= self._over:
            return Heard("", answers=answers)
        over = event == "EndOfTurn"
        return Heard(text, final=over, answers=answers, covers=reached if over else None, turn_ended=self._ended)

    def _follow(self, event: str, turn: int, words: bool) -> None:
        """Keep Flux's own view of the turn: whether one goes on, and whether the speaker has finished."""
        match event:
            case "EndOfTurn":
                self._turn, self._ended = None, True
            case "EagerEndOfTurn":
                self._turn, self._ended = turn, True
            case "StartOfTurn" | "TurnResumed":
                self._turn, self._ended = turn, False
            case _ if words:
                self._turn = turn
