"""The labelled clips: speech of the local voices, recordings of people and made sounds, put together by a seed.

A label is how a clip was built: where its pauses and its end are, what is said, and what the agent says meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.speech import DATA, read_wav, recordings
from benchmarks.turns import script, sounds
from benchmarks.turns.script import Line
from benchmarks.turns.sounds import Floats, Random, silence
from benchmarks.turns.studio import Voices
from voice.media import SAMPLE_RATE
from voice.providers.local.models.runtime import floats, pcm16

CALLERS = ("am_michael", "af_bella", "bm_george", "bf_emma", "am_puck", "af_sarah", "am_onyx", "bf_isabella")
AGENT = "af_heart"
NOISE_DECIBELS = -10.0
LEAD_SECONDS = 0.6
REST_SECONDS = 3.7
# How long people pause where: the median. Most pauses are near it and few are long (log-normal, sigma 0.4).
PAUSES = {"mid-sentence": 0.55, "spelling": 0.5, "numbers": 0.65, "hesitation": 0.8}
SPREAD, LONGEST_SECONDS = 0.4, 1.5
# A pause is put where the voice is quietest, so many steps of 10 ms before and after the place where what comes before
# it ends when said alone: there its last word is longer.
STEP = SAMPLE_RATE // 100
EARLIER, LATER, SHORTEST = 22, 6, 8
# The agent answers the first sentence of a clip so long after it, and the sound comes so long after that.
ANSWER_SECONDS, ONTO_SECONDS = 3.3, 1.4
BACKGROUND_DECIBELS = -16.0
ECHO_DECIBELS = -12.0
ECHO_SECONDS = 0.18


@dataclass(frozen=True)
class Clip:
    """16 kHz PCM16 of one caller. Times are seconds from its start."""

    name: str
    kind: str
    condition: str
    pcm: bytes
    says: str
    asks: str = ""
    pauses: tuple[tuple[float, float], ...] = ()
    end: float | None = None
    """Where the caller's turn really ends; None for a sound that is none."""
    agent: str = ""
    """What the agent says from `agent_from` on, and until the end of the clip if nobody interrupts."""
    agent_from: float = 0.0


@dataclass(frozen=True)
class _Take:
    """A clip before the line and the noise."""

    clip: Clip
    audio: Floats


def clips(voices: Voices) -> Iterator[Clip]:
    """Every clip, in each of four conditions: wide band and telephone, clean and with noise."""
    for number, take in enumerate(_takes(voices)):
        for noisy in (False, True):
            random = np.random.default_rng([7, number])
            audio = take.audio
            if noisy:
                noise = sounds.pink_noise(len(audio), random)
                audio = audio + sounds.at_level(noise, NOISE_DECIBELS, take.audio)
            for rate, line in (("16 kHz", lambda sound: sound), ("8 kHz", sounds.by_telephone)):
                condition = f"{rate}, {'noise' if noisy else 'clean'}"
                yield replace(take.clip, condition=condition, pcm=pcm16(line(audio)))


def _takes(voices: Voices) -> Iterator[_Take]:
    random = np.random.default_rng(2026)
    for kind, lines in (
        ("complete", script.COMPLETE),
        ("mid-sentence", script.MID_SENTENCE),
        ("spelling", script.SPELLING),
        ("numbers", script.NUMBERS),
        ("hesitation", script.HESITATION),
    ):
        for number, line in enumerate(lines):
            yield _turn(voices, kind, f"{kind}-{number + 1}", line, CALLERS[number % len(CALLERS)], random)
    yield from _recorded()
    yield from _over_the_agent(voices, random)


def _recorded() -> Iterator[_Take]:
    """People's own sentences, as they were read."""
    for name, says in recordings().items():
        audio = floats(read_wav(DATA / name))
        yield _finished(Clip(f"read-{name[:-4]}", "complete", "", b"", says), [audio], ())


def _turn(voices: Voices, kind: str, name: str, line: Line, voice: str, random: Random) -> _Take:
    parts = _parted(voices, line, voice)
    lengths = [min(LONGEST_SECONDS, PAUSES[kind] * random.lognormal(0, SPREAD)) for _ in parts[1:]]
    says = line.says.replace(" |", "")
    return _finished(Clip(name, kind, "", b"", says, asks=line.asks), [_trimmed(part) for part in parts], lengths)


def _trimmed(part: Floats) -> Floats:
    begin, end = sounds.audible(part)
    return part[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


def _parted(voices: Voices, line: Line, voice: str) -> list[Floats]:
    """A turn in its parts: dictated ones are said one by one, others cut where they are quietest near their bars."""
    pieces = [piece.strip() for piece in line.says.split("|")]
    if line.dictated:
        return [voices.speak(f"{piece}{'.' if piece is pieces[-1] else ','}", voice) for piece in pieces]
    audio, cuts = voices.speak(", ".join(pieces), voice), [0]
    energy = np.convolve(audio**2, np.full(4 * STEP, 1 / (4 * STEP)), "same")[::STEP]
    for number in range(1, len(pieces)):
        expected = len(_trimmed(voices.speak(", ".join(pieces[:number]) + ",", voice))) // STEP
        low = min(max(cuts[-1] // STEP + SHORTEST, expected - EARLIER), len(energy) - SHORTEST)
        high = max(low + 1, expected + LATER)
        cuts.append((low + int(energy[low:high].argmin())) * STEP)
    return [audio[begin:end] for begin, end in zip(cuts, [*cuts[1:], len(audio)], strict=True)]


def _finished(clip: Clip, parts: list[Floats], lengths: list[float] | tuple[()]) -> _Take:
    """The parts with their pauses, silence around them and labels."""
    audio, pauses = np.concatenate((silence(LEAD_SECONDS), parts[0])), []
    for part, length in zip(parts[1:], lengths, strict=True):
        begin = len(audio) / SAMPLE_RATE
        audio = np.concatenate((audio, silence(length), part))
        pauses.append((begin, begin + length))
    end = sounds.audible(audio)[1]
    return _Take(replace(clip, pauses=tuple(pauses), end=end), np.concatenate((audio, silence(REST_SECONDS))))


# --- sounds over the agent


def _over_the_agent(voices: Voices, random: Random) -> Iterator[_Take]:
    """A caller asks, the agent answers, and into the answer comes a sound."""
    for number, text in enumerate(script.BACKCHANNELS):
        voice = CALLERS[number % len(CALLERS)]
        yield _onto(voices, "backchannel", number, voice, voices.speak(text, voice), text)
    for number in range(8):
        yield _onto(voices, "cough", number, CALLERS[number % len(CALLERS)], sounds.cough(random), "")
    for number in range(len(script.ANSWERS)):
        agent = voices.speak(script.ANSWERS[number], AGENT)
        heard = agent[round((ONTO_SECONDS - ECHO_SECONDS) * SAMPLE_RATE) :][
            : round(random.uniform(0.8, 2.5) * SAMPLE_RATE)
        ]
        echo = sounds.at_level(sounds.band(heard, 300, 3400), ECHO_DECIBELS, agent)
        yield _onto(voices, "echo", number, CALLERS[number % len(CALLERS)], echo, "")
    for number, (name, says) in enumerate(recordings().items()):
        voice = CALLERS[number % len(CALLERS)]
        talk = sounds.in_a_room(floats(read_wav(DATA / name)), random)
        primer = voices.speak(script.PRIMER, voice)
        talk = sounds.at_level(talk[: round(2.5 * SAMPLE_RATE)], BACKGROUND_DECIBELS, primer)
        yield _onto(voices, "background", number, voice, talk, says)
    for number, text in enumerate(script.INTERRUPTIONS):
        voice = CALLERS[number % len(CALLERS)]
        yield _onto(voices, "interruption", number, voice, _trimmed(voices.speak(text, voice)), text, turn=True)


def _onto(voices: Voices, kind: str, number: int, voice: str, sound: Floats, says: str, *, turn: bool = False) -> _Take:
    primer = _trimmed(voices.speak(script.PRIMER, voice))
    before = np.concatenate((silence(LEAD_SECONDS), primer, silence(ANSWER_SECONDS + ONTO_SECONDS)))
    begin = len(before) / SAMPLE_RATE - ONTO_SECONDS
    audio = np.concatenate((before, sound, silence(REST_SECONDS)))
    clip = Clip(
        f"{kind}-{number + 1}", kind, "", b"", says,
        end=sounds.audible(audio)[1] if turn else None,
        agent=script.ANSWERS[number % len(script.ANSWERS)],
        agent_from=begin,
    )  # fmt: skip
    return _Take(clip, audio)
