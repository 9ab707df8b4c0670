"""Speaking: from clauses of text to the audio of an utterance, in an agent's voice."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from voice import events
from voice.clock import CallClock
from voice.deadline import Deadline
from voice.faults import worded
from voice.health import Health
from voice.media import seconds
from voice.media.pcm import Gain
from voice.playout import Utterance
from voice.providers.base import Audio, ProviderBusy, ProviderError, Tts, WordTime
from voice.spec import Patience, Voice
from voice.text.pronunciation import Lexicon, Phonemes

Emit = Callable[[events.Event], None]

# How fast a voice speaks, until the length of the audio is known.
CHARACTERS_PER_SECOND = 15.0
# With no voice behind it, a silent one is waited for longer.
LAST_VOICE = 1.5
# A voice that is busy is asked again after so long.
BUSY_SECONDS = 0.5
# A voice that is slow, and says so once a second, is waited for so often; the last one longer, and so is any that has
# begun to speak: another voice in mid-sentence is worse than a pause.
SIGNS_OF_LIFE, LAST_SIGNS_OF_LIFE = 3, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceService:
    """A voice, and who speaks with it."""

    tts: Tts
    voice: Voice


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
    """Turns clauses into audio in an agent's voice. When a voice fails, the next one says the rest."""

    def __init__(
        self,
        *,
        voices: Sequence[VoiceService],
        phrases: PhraseCache,
        language: str,
        clock: CallClock,
        emit: Emit,
        patience: Patience,
        health: Health,
        languages: Mapping[str, Voice] | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.lexicon = lexicon or Lexicon()
        self._voices = list(voices)
        self._phrases = phrases
        self._language = language
        self._languages = dict(languages or {})
        self._clock = clock
        self._emit = emit
        self._patience = patience
        self._health = health
        self._requests = 0
        self.busy = False
        """A piece is being made."""

    @property
    def stands_alone(self) -> bool:
        """There is no voice behind the first one."""
        return len(self._voices) == 1

    @property
    def provider(self) -> str:
        return self._voices[0].tts.name

    def use(self, *, voice: str = "", language: str = "") -> None:
        """Speak with another voice, or in another language with the voice set for it, from the next piece on."""
        first = self._voices[0]
        if language:
            self._language = language
            self._voices[0] = VoiceService(tts=first.tts, voice=self._languages.get(language, first.voice))
        if voice:
            changed = first.voice.model_copy(update={"id": voice})
            self._voices[0] = VoiceService(tts=first.tts, voice=changed)

    def has(self, text: str) -> bool:
        """The phrase can be spoken at once."""
        return self._phrases.get(self._key(text)) is not None

    async def prepare(self, *texts: str) -> None:
        """Have fixed phrases ready. A failure is left for the moment when the phrase is needed."""
        for text in texts:
            if not text or self.has(text):
                continue
            try:
                first = self._voices[0]
                stream = self._in_time(first, self._spoken(first, text), last=True)
                audio = [piece async for piece in stream]
            except ProviderError:
                return
            if audio:
                self._phrases.put(self._key(text), audio)

    def sound_of(self, text: str) -> bytes:
        """A phrase that is ready to be spoken; nothing if it is not."""
        return b"".join(piece.pcm for piece in self._phrases.get(self._key(text)) or ())

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
        self.busy = True
        try:
            await self._say(text, utterance, grown, fixed)
        finally:
            self.busy = False

    async def _say(self, text: str, utterance: Utterance, grown: Callable[[], None], fixed: bool) -> None:
        order = self._health.ordered(self._voices, lambda service: service.tts.name)
        retried = False
        while text:
            service, behind = order[0], order[1:]
            piece = _Piece(text, utterance, grown)
            try:
                await self._speak(service, piece, fixed=fixed, last=not behind)
                self._health.worked(service.tts.name)
                return
            except ProviderError as error:
                text, busy = piece.break_off(), isinstance(error, ProviderBusy)
                if error.retryable and not retried and not (busy and behind):
                    retried = True
                    self._tell(utterance.turn, service, error, f"asking {service.tts.name} again")
                    await asyncio.sleep(BUSY_SECONDS if busy else 0.0)
                    continue
                self._health.failed(service.tts.name)
                if not behind:
                    raise
                self._tell(utterance.turn, service, error, f"speaking with {behind[0].tts.name}")
                order = behind

    async def _speak(self, service: VoiceService, piece: _Piece, *, fixed: bool, last: bool) -> None:
        """Have one voice speak a piece. Raises ProviderError, also when it is silent for too long."""
        self._requests += 1
        turn, request = piece.utterance.turn, f"speech-{piece.utterance.turn}-{self._requests}"
        key = self._key(piece.text)
        cached = self._phrases.get(key) if service is self._voices[0] else None
        words = self._spoken(service, piece.text)
        self._emit(
            events.SpeechRequested(
                at=self._clock.now(),
                turn=turn,
                request=request,
                provider=service.tts.name,
                voice=service.voice.id,
                text=piece.text,
                spoken=words,
            )
        )
        made: list[Audio] = []
        source = _replay(cached) if cached is not None else self._in_time(service, words, last=last)
        try:
            async with aclosing(source) as audio:  # type: ignore[type-var]
                async for one in audio:
                    made.append(one)
                    if piece.take(one):
                        self._emit(events.SpeechFirstAudio(at=self._clock.now(), turn=turn, request=request))
                    piece.grown()
            if not piece.begun and any(map(str.isalnum, words)):
                raise ProviderError(service.tts.name, "The voice made no sound.")
            piece.finish()
        finally:
            self._emit(
                events.SpeechFinished(
                    at=self._clock.now(),
                    turn=turn,
                    request=request,
                    characters=len(words),
                    audio_seconds=piece.length,
                    cached=cached is not None,
                )
            )
        if fixed and service is self._voices[0]:
            self._phrases.put(key, made)

    async def _in_time(self, service: VoiceService, words: str, *, last: bool) -> AsyncIterator[Audio]:
        """The voice's audio. Raises ProviderError when it keeps the caller waiting for too long."""
        longer = LAST_VOICE if last else 1.0
        patience, signs = self._patience.first_sound * longer, 0
        most = LAST_SIGNS_OF_LIFE if last else SIGNS_OF_LIFE
        gain = Gain(service.voice.volume)
        with worded(service.tts.name):
            async with aclosing(self._stream(service, words)) as stream, Deadline() as deadline:  # type: ignore[type-var]
                while True:
                    try:
                        audio = await deadline.wait(anext(stream, None), patience)
                    except TimeoutError:
                        raise ProviderError(service.tts.name, f"The voice was silent for {patience:.0f} s.") from None
                    if audio is None:
                        return
                    if audio.pcm:
                        most, signs = LAST_SIGNS_OF_LIFE, 0
                        patience = self._patience.sound_gap * longer
                        yield replace(audio, pcm=gain.process(audio.pcm))
                    elif (signs := signs + 1) > most:
                        raise ProviderError(service.tts.name, "The voice is too slow.")

    def _stream(self, service: VoiceService, words: str) -> AsyncIterator[Audio]:
        voice = service.voice
        return service.tts.speak(words, voice=voice.id, speed=voice.speed, language=self._language)

    def _spoken(self, service: VoiceService, text: str) -> str:
        phonemes: Phonemes = getattr(service.tts, "phonemes", "")
        return self.lexicon.spoken(text, self._language, phonemes)

    def _key(self, text: str) -> tuple[object, ...]:
        """What makes a phrase sound as it does: agents with other dictionaries say it otherwise."""
        first = self._voices[0]
        return (
            first.tts.name,
            first.voice.id,
            first.voice.speed,
            first.voice.volume,
            self._language,
            self._spoken(first, text),
        )

    def _tell(self, turn: int, service: VoiceService, error: ProviderError, then: str) -> None:
        self._emit(
            events.ProviderFailed(
                at=self._clock.now(),
                turn=turn,
                role="tts",
                provider=service.tts.name,
                error=str(error),
                then=then,
            )
        )


class _Piece:
    """A clause on its way into an utterance."""

    def __init__(self, text: str, utterance: Utterance, grown: Callable[[], None]) -> None:
        self.text = text
        self.utterance = utterance
        self.grown = grown
        self._base = utterance.total
        self.begun = self._timed = False
        self._guess = timings(text, len(text) / CHARACTERS_PER_SECOND)

    @property
    def length(self) -> float:
        """Seconds of audio so far."""
        return seconds(self.utterance.total - self._base)

    def take(self, audio: Audio) -> bool:
        """Add some audio; True for the first of it."""
        first = not self.begun
        if first:
            self.begun, self._base = True, self.utterance.total
        self.utterance.append(audio.pcm)
        if audio.words:
            self._timed = True
            self.utterance.place(matched(self.text, audio.words), self._base)
        elif first:
            self.utterance.place(self._guess, self._base)
        return first

    def finish(self) -> None:
        """All of it is there: words without times of their own are spread over it."""
        if self.begun and not self._timed:
            self.utterance.place(timings(self.text, self.length), self._base)

    def break_off(self) -> str:
        """The voice has failed: keep the words that there is audio of, and give the rest."""
        if not self.begun:
            return self.text
        words = self.text.split()
        made = [time for time in self._guess if time.end <= self.length]
        self.utterance.place(timings(" ".join(words[: len(made)]), self.length), self._base)
        return " ".join(words[len(made) :])


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
