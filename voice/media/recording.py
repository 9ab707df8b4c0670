"""A call's recording: a stereo WAV file that is valid at every moment of the call."""

from __future__ import annotations

import asyncio
import logging
import os
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from voice.clock import CallClock
from voice.media import SAMPLE_RATE

log = logging.getLogger(__name__)

HEADER_BYTES = 44
FLUSH_SECONDS = 0.5
# Audio younger than this stays in memory, so that the agent's unheard audio can still be cut.
SETTLE_SECONDS = 0.4
# Frames that arrive within this of their place follow each other without a gap: networks jitter.
TOLERANCE_SAMPLES = round(0.12 * SAMPLE_RATE)

# One thread writes for all calls: the order of writes within a file is kept and a slow disk holds up no call.
_writer = ThreadPoolExecutor(1, thread_name_prefix="recording")


class _Track:
    """One side's audio that is not yet in the file. Positions are in samples from the start of the call."""

    __slots__ = ("audio", "end", "start")

    def __init__(self) -> None:
        self.audio = bytearray()
        self.start = self.end = 0

    def put(self, pcm: bytes, position: int) -> None:
        """Place audio at `position`; close to the end of what is there, it follows on."""
        gap = position - self.end
        if gap > TOLERANCE_SAMPLES:
            self.audio += bytes(2 * gap)
            self.end = position
        self.audio += pcm
        self.end += len(pcm) // 2

    def cut(self, position: int) -> None:
        del self.audio[max(0, 2 * (position - self.start)) :]
        self.end = self.start + len(self.audio) // 2

    def take(self, until: int) -> bytes:
        """Remove and give the audio up to `until`, filled up with silence."""
        size = 2 * max(0, until - self.start)
        taken = bytes(self.audio[:size])
        del self.audio[:size]
        self.start = max(self.start, until)
        self.end = max(self.end, until)
        return taken.ljust(size, b"\0")


class Recorder:
    """Writes one call to `path`: caller on the left, agent on the right, 16 kHz PCM16, on the call's clock.

    Every half second what has settled is appended and the header brought up to date, so that a process that
    dies leaves a file that plays. A disk that fails stops the recording, never the call: see `failed`.

    While it is paused, for a card number or a password, both sides are recorded as silence: what is said never reaches
    the disk, and the clock stays true.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failed = False
        self._caller = _Track()
        self._agent = _Track()
        self._pauses: list[tuple[int, int]] = []
        self._paused_at: int | None = None
        self._written = 0
        self._file: int | None = None
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def duration(self) -> float:
        """Seconds handed to the file so far."""
        return self._written / SAMPLE_RATE

    @property
    def paused(self) -> bool:
        return self._paused_at is not None

    @property
    def pauses(self) -> list[tuple[float, float]]:
        """From when to when it was paused, in seconds; one that goes on reaches as far as the file."""
        return [(begin / SAMPLE_RATE, end / SAMPLE_RATE) for begin, end in self._spans(self._written)]

    def start(self, clock: CallClock) -> None:
        """Begin to write, every half second."""
        self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush, clock)

    def caller(self, frame: bytes, at: float) -> None:
        """Caller audio that ended at `at`."""
        self._caller.put(self._kept(frame), round(at * SAMPLE_RATE) - len(frame) // 2)

    def agent(self, frame: bytes, at: float) -> None:
        """Agent audio that the caller hears from `at` on."""
        self._agent.put(self._kept(frame), round(at * SAMPLE_RATE))

    def cut_agent(self, at: float) -> None:
        """The agent was silenced: what it would have been heard saying after `at` is gone."""
        self._agent.cut(round(at * SAMPLE_RATE))

    def pause(self, at: float) -> None:
        """From `at` on, nothing that is said is recorded."""
        if self._paused_at is None:
            self._paused_at = max(self._written, round(at * SAMPLE_RATE))

    def resume(self, at: float) -> None:
        """Record again from `at` on."""
        if self._paused_at is not None:
            self._pauses.append((self._paused_at, max(self._paused_at, round(at * SAMPLE_RATE))))
            self._paused_at = None

    def _kept(self, frame: bytes) -> bytes:
        # Not only by its place: a frame that comes in a burst is placed later than it was said.
        return frame if self._paused_at is None else bytes(len(frame))

    def _spans(self, until: int) -> list[tuple[int, int]]:
        """The pauses so far, in samples."""
        return self._pauses if self._paused_at is None else [*self._pauses, (self._paused_at, until)]

    async def close(self, at: float) -> None:
        """Write the rest, up to `at`. Returns when it is in the file."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(_writer, self._write, *self._take(at), True)

    def _flush(self, clock: CallClock) -> None:
        self.start(clock)
        _writer.submit(self._write, *self._take(clock.now() - SETTLE_SECONDS), False)

    def _take(self, until: float) -> tuple[bytes, bytes]:
        begin, end = self._written, max(self._written, round(until * SAMPLE_RATE))
        self._written = end
        pauses = [(first - begin, last - begin) for first, last in self._spans(end) if last > begin and first < end]
        return _silenced(self._caller.take(end), pauses), _silenced(self._agent.take(end), pauses)

    def _write(self, caller: bytes, agent: bytes, last: bool) -> None:
        """In the writer's thread."""
        if self.failed:
            return
        try:
            if self._file is None:
                self._file = self._open()
            stereo = np.empty((len(caller) // 2, 2), "<i2")
            stereo[:, 0] = np.frombuffer(caller, "<i2")
            stereo[:, 1] = np.frombuffer(agent, "<i2")
            _write_at(self._file, stereo.tobytes(), HEADER_BYTES + self._size)
            self._size += stereo.nbytes
            _write_at(self._file, _header(self._size), 0)
        except OSError as error:
            self.failed = True
            log.error("The recording %s stopped: %s", self.path, error)
        if (last or self.failed) and self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        _write_at(file, _header(0), 0)
        return file

    @staticmethod
    def recover(path: Path) -> float:
        """Bring the header of a file whose writer died up to date; its length in seconds, 0.0 if there is none.

        Raises OSError when the file cannot be written.
        """
        if not path.exists() or path.stat().st_size < HEADER_BYTES:
            return 0.0
        size = (path.stat().st_size - HEADER_BYTES) // 4 * 4
        with path.open("r+b") as file:
            file.write(_header(size))
            file.truncate(HEADER_BYTES + size)
        return size / (4 * SAMPLE_RATE)


def _silenced(pcm: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """The audio with silence in these spans of samples."""
    if not spans:
        return pcm
    audio = np.frombuffer(pcm, "<i2").copy()
    for first, last in spans:
        audio[max(0, first) : max(0, last)] = 0
    return audio.tobytes()


def _write_at(file: int, content: bytes, offset: int) -> None:
    """Write all of `content`. A full disk takes a part of it, and complains only when asked to take the rest."""
    while content:
        written = os.pwrite(file, content, offset)
        content, offset = content[written:], offset + written


def _header(data_bytes: int) -> bytes:
    """A WAV header for 16 kHz stereo PCM16."""
    channels, width = 2, 2
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, 1, channels, SAMPLE_RATE,
        SAMPLE_RATE * channels * width, channels * width, 8 * width, b"data", data_bytes,
    )  # fmt: skip
