"""When each word of a stored piece of speech was spoken, from what the caller heard of it."""

from __future__ import annotations

from collections.abc import Sequence

from voice import events
from voice.events import Word
from voice.providers.base import WordTime
from voice.replay.record import Record, Spoken
from voice.speech import timings

# Times that are guessed anew so closely need not be handed over...
CLOSE_SECONDS = 0.03
# ...and such as lie farther outside of their piece are not its own: it was held back and begun again.
OUTSIDE_SECONDS = 0.1


class WordTimes:
    """The word times of a call's pieces of speech, where the voice gave some."""

    def __init__(self, record: Record) -> None:
        self._times: dict[str, Sequence[WordTime]] = {}
        heard: dict[int, list[Word]] = {}
        for event in record.all(events.AgentHeard):
            heard.setdefault(event.turn, []).extend(event.words)
        begins: dict[int, float] = {}
        for place, spoken in enumerate(record.spoken):
            turn = spoken.requested.turn
            begin = _begin(record, place, begins.get(turn))
            if spoken.finished is None or begin is None:
                continue
            length = spoken.finished.audio_seconds
            begins[turn] = begin + length
            words = _taken(heard.get(turn, []), spoken.requested.text.split())
            times = [WordTime(word.text, word.start - begin, word.end - begin) for word in words]
            if times and _is_new(times, spoken.requested.text, length):
                self._times[spoken.requested.request] = _completed(times, spoken.requested.text, length)

    def of(self, spoken: Spoken) -> Sequence[WordTime]:
        return self._times.get(spoken.requested.request, ())


def _begin(record: Record, place: int, behind: float | None) -> float | None:
    """When the caller began to hear a piece: with its utterance, or `behind` the piece before it."""
    request = record.spoken[place].requested
    following = next((one.requested.at for one in record.spoken[place + 1 :]), float("inf"))
    starts = [e for e in record.all(events.AgentSpeechStarted) if e.turn == request.turn and e.at >= request.at]
    if starts and (behind is None or starts[0].at < following):
        return starts[0].at + starts[0].playout_delay
    return behind


def _taken(heard: list[Word], words: Sequence[str]) -> list[Word]:
    """Remove from the words heard those of a piece."""
    count = 0
    while count < min(len(heard), len(words)) and heard[count].text == words[count]:
        count += 1
    taken = heard[:count]
    del heard[:count]
    return taken


def _is_new(times: Sequence[WordTime], text: str, length: float) -> bool:
    """Whether these are the piece's own times, and not those that are guessed anyway."""
    inside = all(time.start >= -OUTSIDE_SECONDS and time.end <= length + OUTSIDE_SECONDS for time in times)
    guessed = zip(times, timings(text, length), strict=False)
    return inside and any(abs(time.start - guess.start) > CLOSE_SECONDS for time, guess in guessed)


def _completed(times: Sequence[WordTime], text: str, length: float) -> list[WordTime]:
    """With guesses for the words that were not heard."""
    rest = " ".join(text.split()[len(times) :])
    last = min(times[-1].end, length)
    return [*times, *timings(rest, length - last, last)]
