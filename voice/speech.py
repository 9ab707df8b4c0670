"""Speaking: from clauses of text to the audio of an utterance, in an agent's voice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence

from voice import events
from voice.clock import CallClock
from voice.media import seconds
from voice.playout import Utterance
from voice.providers.base import Audio, ProviderError, Tts, WordTime
from voice.spec import Voice
from voice.text import spoken

Emit = Callable[[events.Event], None]

# How fast a voice speaks, until the length of the audio is known.
CHARACTERS_PER_SECOND = 15.0


class PhraseCache:
    """Audio of fixed phrases (greeting, "one moment"), made once and shared by all calls of a process."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._phrases: OrderedDict[tuple[object, ...], list[Audio]] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> list[Audio] | None:
        if key in self._phrases:
            self._phrases.move_to_end(key)
        return self._phrases.get(key)

    def put(self, key: tuple[object, ...], audio: list[Audio]) -> None:
        self._phrases[key] = audio
        while len(self._phrases) > self._size:
            self._phrases.popitem(last=False)


class Speaker:
    """Turns clauses into audio in an agent's voice: the voice's own provider first, then the spare one."""

    def __init__(
        self,
        *,
        tts: Tts,
        fallback: Tts | None,
        phrases: PhraseCache,
        voice: Voice,
        language: str,
        clock: CallClock,
        emit: Emit,
    ) -> None:
        self._tts = tts
        self._fallback = fallback
        self._phrases = phrases
        self._voice = voice
        self._language = language
        self._clock = clock
        self._emit = emit
        self._requests = 0
        self._spare = False

    @property
    def provider(self) -> str:
        return self._tts.name

    def has(self, text: str) -> bool:
        """The phrase can be spoken at once."""
        return self._phrases.get(self._key(text)) is not None

    async def prepare(self, text: str) -> None:
        """Have a fixed phrase ready. A failure is left for the moment when the phrase is needed."""
        if not text or self.has(text):
            return
        try:
            audio = [piece async for piece in self._stream(self._tts, spoken(text, self._language))]
        except ProviderError:
            return
        self._phrases.put(self._key(text), audio)

    def interject(self, text: str, utterance: Utterance) -> bool:
        """Put a phrase into an utterance at once; False if it is not ready to be spoken."""
        audio = self._phrases.get(self._key(text))
        if audio is None:
            return False
        base = utterance.total
        for piece in audio:
            utterance.append(piece.pcm)
        utterance.place(timings(text, seconds(utterance.total - base)), base)
        return True

    async def say(self, text: str, utterance: Utterance, grown: Callable[[], None], *, fixed: bool = False) -> None:
        """Speak `text` at the end of `utterance`; `grown` is called at each piece of audio. Raises ProviderError.

        `fixed` says that it is a phrase which will be said again, so that its audio is kept.
        """
        self._spare = False
        self._requests += 1
        request = f"speech-{utterance.turn}-{self._requests}"
        words = spoken(text, self._language)
        if not words:
            return
        cached = self._phrases.get(self._key(text))
        self._emit(
            events.SpeechRequested(
                at=self._clock.now(),
                turn=utterance.turn,
                request=request,
                provider=self._tts.name,
                voice=self._voice.id,
                text=text,
                spoken=words,
            )
        )
        first, base, made = True, utterance.total, list[Audio]()
        guess = timings(text, len(text) / CHARACTERS_PER_SECOND)
        async for audio in _replay(cached) if cached else self._with_fallback(words, utterance.turn):
            if first:
                base = utterance.total
            utterance.append(audio.pcm)
            made.append(audio)
            if audio.words:
                guess = []
                utterance.place(matched(text, audio.words), base)
            elif first and guess:
                utterance.place(guess, base)
            if first:
                first = False
                self._emit(events.SpeechFirstAudio(at=self._clock.now(), turn=utterance.turn, request=request))
            grown()
        length = seconds(utterance.total - base)
        if guess:
            utterance.place(timings(text, length), base)
        if fixed and not self._spare:
            self._phrases.put(self._key(text), made)
        self._emit(
            events.SpeechFinished(
                at=self._clock.now(),
                turn=utterance.turn,
                request=request,
                characters=len(words),
                audio_seconds=length,
                cached=cached is not None,
            )
        )

    def _key(self, text: str) -> tuple[object, ...]:
        return self._tts.name, self._voice.id, self._voice.speed, self._language, text

    async def _with_fallback(self, words: str, turn: int) -> AsyncIterator[Audio]:
        """The voice's audio; the spare voice's if the first one fails before it has made a sound."""
        heard = False
        try:
            async for audio in self._stream(self._tts, words):
                heard = True
                yield audio
        except ProviderError as error:
            if heard or self._fallback is None:
                raise
            self._spare = True
            self._emit(
                events.ProviderFailed(
                    at=self._clock.now(),
                    turn=turn,
                    role="tts",
                    provider=self._tts.name,
                    error=str(error),
                    then=f"speaking with {self._fallback.name}",
                )
            )
            async for audio in self._stream(self._fallback, words):
                yield audio

    def _stream(self, tts: Tts, words: str) -> AsyncIterator[Audio]:
        return tts.speak(words, voice=self._voice.id, speed=self._voice.speed, language=self._language)


async def _replay(audio: Sequence[Audio]) -> AsyncIterator[Audio]:
    for piece in audio:
        yield piece


def timings(text: str, length: float, start: float = 0.0) -> list[WordTime]:
    """Word times guessed from the words' lengths: `text` spoken evenly over `length` seconds from `start`."""
    words = text.split()
    total = sum(len(word) + 1 for word in words) or 1
    times, position = [], 0
    for word in words:
        begin = start + length * position / total
        position += len(word) + 1
        times.append(WordTime(word, begin, start + length * position / total))
    return times


def matched(text: str, times: Sequence[WordTime]) -> Sequence[WordTime]:
    """The words of the shown `text` on the times of the spoken words, which may be others ("9:30", "nine thirty")."""
    words = text.split()
    if len(words) == len(times):
        return [WordTime(word, time.start, time.end) for word, time in zip(words, times, strict=True)]
    return timings(text, times[-1].end - times[0].start, times[0].start)
