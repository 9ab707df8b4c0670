"""Recognition over a vendor's WebSocket that survives the socket: what all such adapters share.

A vendor's package brings a `Recogniser`, and `ListeningStt` makes an `Stt` of it. Its streams keep the audio that has
not become fixed words yet, so that a lost connection loses no words: the next one hears that audio again. What they
promise is in `voice.providers.base.SttStream`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from voice.media import SAMPLE_RATE, seconds
from voice.providers.base import ProviderError, Transcript
from voice.providers.recogniser import Heard, Recogniser
from voice.providers.sockets import Message, ProviderSocket

_SECOND = 2 * SAMPLE_RATE
# Voice activity is known a little late, and the first sounds of a word are soft.
PRE_ROLL_BYTES = 4 * _SECOND // 10
# Of a turn's audio that is no fixed words yet, so much is kept for another connection.
KEPT_BYTES = 30 * _SECOND
# Audio goes out in pieces from 80 ms, as vendors advise, up to half a second when there is some to catch up with.
LEAST_BYTES = 8 * _SECOND // 100
MOST_BYTES = _SECOND // 2
PONG_SECONDS = 1.0
SEND_SECONDS = 5.0
# Waits between the tries to connect again. In all they are shorter than the engine's patience with an answer.
BACKOFF_SECONDS = (0.1, 0.4, 1.0)
LEAVE_SECONDS = 2.0


Protocol = Callable[[str, Sequence[str]], Recogniser]
"""Makes the Recogniser of one connection, for a language and key terms."""


class ListeningStt:
    """An Stt over a vendor's sockets: one socket a call, opened with the call and again when it is lost."""

    def __init__(self, name: str, protocol: Protocol) -> None:
        self.name = name
        self._protocol = protocol
        self._tasks: set[asyncio.Task[None]] = set()

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> ListeningStream:
        terms = tuple(keyterms)
        return ListeningStream(lambda: self._protocol(language, terms), on_transcript, on_error, self._tasks)

    async def close(self) -> None:
        """End all streams. Returns when their sockets are closed."""
        while self._tasks:
            tasks = set(self._tasks)
            for task in tasks:
                if task.get_name() == _LISTENING:
                    task.cancel()
            await asyncio.wait(tasks)


_LISTENING = "listening"


@dataclass(slots=True, eq=False)
class _Question:
    """A pause in speech, up to which the words are wanted."""

    position: int
    asked: float
    stale: bool = False
    """The turn was over before the answer: it only tells which words belong to the next one."""
    wanted: bool = True
    """A final transcript is due; not when the caller has gone on speaking."""
    sent: bool = False
    due: float = 0.0


class ListeningStream:
    """Recognition for one call. Positions are bytes of the call's audio that was meant to be recognised."""

    def __init__(
        self,
        recogniser: Callable[[], Recogniser],
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self.billed_seconds = 0.0
        self._new_recogniser = recogniser
        self._recogniser = recogniser()
        self._on_transcript = on_transcript
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        # audio
        self._recent = bytearray()
        self._kept = bytearray()
        self._end = self._sent = self._origin = 0
        self._cropped = False
        # the turn
        self._speaking = self._in_turn = False
        self._began = 0
        self._fixed: list[str] = []
        self._partial = ""
        self._told = ""
        self._questions: deque[_Question] = deque()
        # the connection
        self._connected = False
        self._tries = 0
        self._wake = asyncio.Event()
        self._needed = asyncio.Event()
        self._tasks = tasks
        self._task = self._spawn(self._run(), _LISTENING)

    # --- what the call tells

    def feed(self, frame: bytes) -> None:
        if self._speaking or self._recogniser.continuous:
            self._take(frame)
            return
        self._recent += frame
        if len(self._recent) > 2 * PRE_ROLL_BYTES:
            del self._recent[:-PRE_ROLL_BYTES]

    def speech_started(self) -> None:
        for question in self._questions:
            question.wanted = False
        if not self._in_turn:
            self._begin_turn()
        self._speaking = True
        self._take(self._recent[-PRE_ROLL_BYTES:])
        self._recent.clear()
        self._needed.set()

    def speech_stopped(self) -> None:
        self._speaking = False
        if not self._in_turn:
            self._begin_turn()
        self._questions.append(_Question(self._end, self._loop.time()))
        self._wake.set()
        self._needed.set()

    def commit(self) -> None:
        self._questions = deque(question for question in self._questions if question.sent)
        for question in self._questions:
            question.stale, question.wanted = True, False
        asked = self._questions and self._questions[-1].position == self._end
        if self._connected and (self._speaking or self._partial) and not asked:
            self._questions.append(_Question(self._end, self._loop.time(), stale=True, wanted=False))
            self._wake.set()
        self._forget()
        if self._speaking:
            self._begin_turn()

    def close(self) -> None:
        self._task.cancel()

    # --- audio

    def _take(self, audio: bytes | bytearray) -> None:
        self._kept += audio
        self._end += len(audio)
        limit = KEPT_BYTES if self._in_turn else PRE_ROLL_BYTES + LEAST_BYTES
        if len(self._kept) > limit:
            self._cropped = self._in_turn
            del self._kept[:-limit]
        if self._end - self._sent >= LEAST_BYTES:
            self._wake.set()

    def _outgoing(self) -> Iterator[Message]:
        """Every message that is to be sent by now."""
        while True:
            question = next((question for question in self._questions if not question.sent), None)
            if piece := self._piece(question):
                self.billed_seconds += seconds(len(piece))
                yield self._recogniser.audio(piece)
            elif question is None:
                return
            else:
                question.sent, question.due = True, self._loop.time() + self._recogniser.answer_seconds
                if (message := self._recogniser.ask(over=question.stale)) is not None:
                    yield message

    def _piece(self, question: _Question | None) -> bytes:
        """The next audio to send: all that comes before the question, or as much as makes a whole piece."""
        kept_from = self._end - len(self._kept)
        skipped = max(0, kept_from - self._sent)
        self._sent += skipped
        self._origin += skipped
        size = min((question.position if question else self._end) - self._sent, MOST_BYTES)
        if size < (1 if question else LEAST_BYTES):
            return b""
        begin = self._sent - kept_from
        self._sent += size
        return bytes(self._kept[begin : begin + size])

    def _covered(self, position: int) -> None:
        """The audio up to there is fixed words now."""
        kept_from = self._end - len(self._kept)
        if (size := min(position, self._sent) - kept_from) > 0:
            del self._kept[:size]
            self._cropped = False

    # --- words

    def _take_in(self, heard: Heard) -> None:
        answered = [self._questions.popleft() for _ in range(min(heard.answers, len(self._questions)))]
        judge = answered[-1:] or list(self._questions)[:1]
        if not self._in_turn or (judge and judge[0].stale):
            return
        if heard.final:
            self._fix(heard, answered)
        else:
            self._partial = heard.text.strip()
        wanted = next((question for question in reversed(answered) if question.wanted), None)
        if wanted is not None:
            self._answer(wanted, heard.turn_ended)
        elif (text := self._text()) and text != self._told:
            self._told = text
            self._on_transcript(Transcript(text, final=False, audio_seconds=self._length()))

    def _fix(self, heard: Heard, answered: Sequence[_Question]) -> None:
        self._partial = ""
        if text := heard.text.strip():
            self._fixed.append(text)
        if heard.covers is not None:
            self._covered(self._origin + round(heard.covers * SAMPLE_RATE) * 2)
        elif answered:
            self._covered(answered[-1].position)

    def _answer(self, question: _Question, turn_ended: bool | None) -> None:
        self._told = text = self._text()
        took = self._loop.time() - question.asked
        self._on_transcript(Transcript(text, True, self._length(), took, turn_ended))

    def _text(self) -> str:
        return " ".join(filter(None, (*self._fixed, self._partial)))

    def _length(self) -> float:
        return round(seconds(self._end - self._began), 3)

    def _begin_turn(self) -> None:
        self._in_turn, self._began = True, self._end

    def _forget(self) -> None:
        self._kept.clear()
        self._fixed.clear()
        self._partial = self._told = ""
        self._in_turn = self._cropped = False

    # --- the connection

    async def _run(self) -> None:
        while True:
            try:
                await self._converse()
            except ProviderError as error:
                await self._lost(error)
            self._recogniser = self._new_recogniser()

    async def _converse(self) -> None:
        """One connection, until it is lost. Raises ProviderError."""
        socket = await self._recogniser.connect()
        tasks: list[asyncio.Task[None]] = []
        try:
            self._resume()
            tasks = [self._loop.create_task(work) for work in (self._send_all(socket), self._receive_all(socket))]
            await asyncio.gather(*tasks)
        finally:
            self._connected = False
            for task in tasks:
                task.cancel()
            self._spawn(_leave(socket, self._recogniser.goodbye), "leaving")

    def _resume(self) -> None:
        """Begin on a new connection with the audio that is no fixed words yet, and the questions about it."""
        self._connected = True
        self._sent = self._origin = self._end - len(self._kept)
        if not self._kept:
            # The connection was lost between the words and the answer.
            for question in self._questions:
                if question.wanted:
                    self._answer(question, None)
            self._questions.clear()

    async def _lost(self, error: ProviderError) -> None:
        """Wait until it is time to connect again. What is lost with the connection is told."""
        self._questions = deque(question for question in self._questions if not question.stale)
        for question in self._questions:
            question.sent = False
        self._tries += 1
        hopeless = not error.retryable or self._tries > len(BACKOFF_SECONDS)
        if hopeless or self._cropped:
            self._give_up(error)
        if hopeless:
            self._tries = 0
            self._needed.clear()
            await self._needed.wait()
        else:
            await asyncio.sleep(BACKOFF_SECONDS[self._tries - 1])

    def _give_up(self, error: ProviderError) -> None:
        if not self._in_turn or not (self._kept or self._questions):
            return
        self._questions.clear()
        self._forget()
        if self._speaking:
            self._begin_turn()
        self._on_error(error)

    async def _send_all(self, socket: ProviderSocket) -> None:
        keep_alive, idle = self._recogniser.keep_alive, self._recogniser.keep_alive_seconds
        sent_at = self._loop.time()
        while True:
            for message in self._outgoing():
                await self._send(socket, message)
                sent_at = self._loop.time()
            dues = [question.due for question in self._questions] + ([sent_at + idle] if keep_alive else [])
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(dues, default=None)):
                    await self._wake.wait()
            self._wake.clear()
            await self._help_ourselves(socket)
            if keep_alive and self._loop.time() >= sent_at + idle:
                await self._send(socket, keep_alive)
                self.billed_seconds += self._recogniser.keep_alive_audio
                sent_at = self._loop.time()

    async def _send(self, socket: ProviderSocket, message: Message) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await socket.send(message)
        except TimeoutError as error:
            raise self._recogniser.failures.of_transport(error) from error

    async def _help_ourselves(self, socket: ProviderSocket) -> None:
        """Take the words that are there for the answer, if it is overdue and the server is still there."""
        question = self._questions[0] if self._questions else None
        if question is None or not question.sent or self._loop.time() < question.due:
            return
        if not await socket.is_alive(PONG_SECONDS):
            raise self._recogniser.failures.of_transport(TimeoutError())
        if self._questions and self._questions[0] is question:
            self._take_in(Heard(self._partial, answers=1))

    async def _receive_all(self, socket: ProviderSocket) -> None:
        while (message := await socket.receive()) is not None:
            try:
                heard = self._recogniser.heard(message)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise self._recogniser.failures.garbled(str(message)) from error
            if heard is not None:
                if heard.final or heard.answers:
                    self._tries = 0
                self._take_in(heard)
        raise self._recogniser.failures.told("it closed the connection")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _leave(socket: ProviderSocket, goodbye: Message | None) -> None:
    with suppress(ProviderError, TimeoutError):
        async with asyncio.timeout(LEAVE_SECONDS):
            if goodbye is not None and socket.is_open:
                await socket.send(goodbye)
            await socket.close()
