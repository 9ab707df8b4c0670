"""The sound of a place under an agent's voice: beds that loop, and mixing them in."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from voice.media import FRAME_SAMPLES, SAMPLE_RATE
from voice.media.resample import resample
from voice.media.scenes import SCENES

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]

NAMES = tuple(SCENES)
# All beds are as loud as each other: well below a voice, so that a volume means the same whichever is chosen.
_LOUDNESS = 32768 * 10 ** (-30 / 20)
_PEAK = 32768 * 10 ** (-9 / 20)
# What an uploaded bed may be.
SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 120.0
MOST_CHANNELS = 2
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
# Its end is blended into its start.
_BLEND_SAMPLES = SAMPLE_RATE // 2
# The bed gives way to the agent quickly, and comes back slowly: frames from one level to the other.
_DUCK_FRAMES, _RETURN_FRAMES = 6, 25


@dataclass(frozen=True, slots=True, eq=False)
class Bed:
    """A loop of engine audio, of whole frames: int16, shape (samples,), read only."""

    name: str
    samples: Samples

    def __post_init__(self) -> None:
        if not len(self.samples) or len(self.samples) % FRAME_SAMPLES:
            raise ValueError("A bed is made of whole frames.")
        self.samples.setflags(write=False)

    @property
    def frames(self) -> int:
        """How many frames it lasts."""
        return len(self.samples) // FRAME_SAMPLES

    def frame(self, index: int) -> bytes:
        """The frame `index` of the loop, which goes on for ever."""
        start = index % self.frames * FRAME_SAMPLES
        return self.samples[start : start + FRAME_SAMPLES].tobytes()


@lru_cache(maxsize=len(NAMES))
def bed(name: str) -> Bed:
    """The bed of one of `NAMES`, twenty seconds long. Raises KeyError for another name.

    Made at its first use, which takes up to a second: not on an event loop that carries calls.
    """
    return Bed(name, _level(SCENES[name](np.random.default_rng(zlib.crc32(name.encode())))))


async def prepared(name: str) -> Bed:
    """`bed`, made in a thread where it is not made yet."""
    return await asyncio.to_thread(bed, name)


def load_bed(path: Path) -> Bed:
    """A bed from an audio file (WAV, MP3, OGG or FLAC, mono or stereo), its loudness that of our own.

    Raises ValueError, with a message for whoever uploaded it, for a file that is no audio, is silent, or is too short
    or too long. Not on an event loop that carries calls.
    """
    try:
        with soundfile.SoundFile(str(path)) as file:
            if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
                raise ValueError(f"The sample rate is {file.samplerate} Hz; it must be 8 to 192 kHz.")
            if file.channels > MOST_CHANNELS:
                raise ValueError(f"It has {file.channels} channels; one or two can be used.")
            if not SHORTEST_SECONDS <= file.frames / file.samplerate <= LONGEST_SECONDS:
                raise ValueError(f"It must last {SHORTEST_SECONDS:.0f} to {LONGEST_SECONDS:.0f} seconds.")
            audio = file.read(dtype="float32", always_2d=True).mean(axis=1)
            engine = resample(audio, file.samplerate, SAMPLE_RATE).astype(np.float64)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"This is no audio file that can be read: {error.error_string}") from None
    if not np.all(np.isfinite(engine)) or np.max(np.abs(engine)) < 1e-4:
        raise ValueError("There is nothing to hear in it.")
    return Bed(path.stem, _level(_looped(engine)))


def _looped(audio: Floats) -> Floats:
    """Blend the end into the start, at equal power, and keep whole frames."""
    length = (len(audio) - _BLEND_SAMPLES) // FRAME_SAMPLES * FRAME_SAMPLES
    loop, rest = audio[:length].copy(), audio[length : length + _BLEND_SAMPLES]
    angle = np.linspace(0, np.pi / 2, len(rest))
    loop[: len(rest)] = loop[: len(rest)] * np.sin(angle) + rest * np.cos(angle)
    return loop


def _level(audio: Floats) -> Samples:
    """At the loudness of beds; peaks that stand out too far are rounded off."""
    centred = audio - np.mean(audio)
    scaled = centred * (_LOUDNESS / np.sqrt(np.mean(np.square(centred))))
    return np.asarray(_PEAK * np.tanh(scaled / _PEAK), np.int16)


class _Level(NamedTuple):
    """A bed at a volume, and the range that leaves it room under a voice: a frame of each limit."""

    samples: Samples
    floor: Samples
    ceiling: Samples


@lru_cache(maxsize=32)
def _at(source: Bed, volume: float) -> _Level:
    """Shared by the calls that use it."""
    samples = np.asarray(source.samples * volume, np.int16)
    room = 32767 - int(np.max(np.abs(samples)))
    return _Level(samples, np.full(FRAME_SAMPLES, -room, np.int16), np.full(FRAME_SAMPLES, room, np.int16))


class AmbientMixer:
    """Plays a bed under one call's agent, frame by frame.

    `volume` is 0 to 1, the bed as it is; while the agent speaks the bed is `duck` times as loud. `start` says where in
    the loop the call begins, in seconds, so that calls need not all sound the same.
    """

    def __init__(self, source: Bed, volume: float, duck: float = 0.5, start: float = 0.0) -> None:
        if not (0 <= volume <= 1 and 0 <= duck <= 1):
            raise ValueError("Volumes are from 0 to 1.")
        self._loud, self._ducked = _at(source, volume), _at(source, volume * duck)
        self._duck = duck
        self._length = len(source.samples)
        self._position = round(start * SAMPLE_RATE) // FRAME_SAMPLES * FRAME_SAMPLES % self._length
        self._gain = 1.0
        self._mixed = np.empty(FRAME_SAMPLES, np.int16)

    def mix(self, frame: bytes | None, speaking: bool) -> bytes:
        """The next frame: the agent's, if there is one, with the bed under it."""
        wanted = self._duck if speaking else 1.0
        level = self._ducked if self._gain == wanted != 1.0 else self._loud
        start = self._position
        under = level.samples[start : start + FRAME_SAMPLES]
        self._position = (start + FRAME_SAMPLES) % self._length
        if self._gain != wanted:
            under = self._ramp(under, wanted)
        if frame is None:
            return under.tobytes()
        # A voice at full scale loses the little that the bed needs: so the plain sum cannot overflow, and costs little.
        mixed = self._mixed
        np.minimum(np.frombuffer(frame, np.int16, FRAME_SAMPLES), level.ceiling, out=mixed)
        np.maximum(mixed, level.floor, out=mixed)
        np.add(mixed, under, out=mixed)
        return mixed.tobytes()

    def _ramp(self, loud: Samples, wanted: float) -> Samples:
        """A frame of the bed on its way to another gain."""
        step = (1.0 - self._duck) / (_DUCK_FRAMES if wanted < self._gain else _RETURN_FRAMES)
        before, away = self._gain, wanted - self._gain
        self._gain = wanted if abs(away) <= step * 1.001 else before + np.copysign(step, away)
        return np.asarray(loud * np.linspace(before, self._gain, FRAME_SAMPLES, endpoint=False), np.int16)
