"""Voice activity: Silero in the process that has the calls, one session and one thread for all of them.

Every 16 ms the windows that have filled up since are run as one batch, every 32 ms while there are many calls: small
batches are dear. A call costs a row in the batch and no task, queue or timer of its own. A call that has been quiet for
half a second is left out until it makes a sound: callers are silent most of the time. Its state is kept as it is
meanwhile (measured: onsets are found as soon as without, while a state of zeros finds them 35 ms later).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voice.media import SAMPLE_RATE
from voice.providers.base import ProviderError
from voice.providers.local.models.runtime import Floats, session
from voice.providers.local.models.silero import CONTEXT, STATE, WINDOW, network

log = logging.getLogger(__name__)

Counts = npt.NDArray[np.int64]

WINDOW_BYTES = 2 * WINDOW
TICK_SECONDS = 0.016
# From so many calls on.
MANY, MANY_TICK_SECONDS = 50, 0.032
# Speech begins above the first probability and lasts until below the second: between them nothing changes.
SPEECH_ABOVE = 0.5
SILENCE_BELOW = 0.35
# Sounds softer than this (root mean square of the samples, -47 dBFS) are nobody speaking into the microphone.
SOFTEST = 150.0
QUIET_WINDOWS = 16
_FIRST_ROWS = 16


class SileroStream:
    """One call's row. Made by `SileroVad.open`."""

    __slots__ = (
        "_begin",
        "_buffer",
        "_count",
        "_on_speech",
        "_start",
        "_stop",
        "_taken",
        "_vad",
        "pending",
        "row",
        "speaking",
    )

    def __init__(self, vad: SileroVad, row: int, on_speech: Callable[[bool, int], None], start: int, stop: int) -> None:
        self._vad = vad
        self._on_speech = on_speech
        self._start = start
        self._stop = stop
        self._buffer = bytearray()
        self._taken = 0
        self._count = 0
        self._begin = 0
        self.row = row
        self.speaking = False
        self.pending: list[bytes] = []

    def feed(self, frame: bytes) -> None:
        buffer = self._buffer
        buffer += frame
        if len(buffer) >= WINDOW_BYTES and self.row >= 0:
            if not self.pending:
                self._vad.add(self)
            while len(buffer) >= WINDOW_BYTES:
                self.pending.append(bytes(buffer[:WINDOW_BYTES]))
                del buffer[:WINDOW_BYTES]

    def close(self) -> None:
        if self.row >= 0:
            self._vad.remove(self)
            self.row = -1
            self.pending.clear()

    def heard(self, probability: float, loud: bool) -> None:
        """Take the verdict on the next window."""
        begin = self._taken
        self._taken += WINDOW
        speech, silence = probability >= SPEECH_ABOVE and loud, probability < SILENCE_BELOW or not loud
        if not (silence if self.speaking else speech):
            self._count = 0
            return
        if self._count == 0:
            self._begin = begin
        self._count += 1
        if self._count >= (self._stop if self.speaking else self._start):
            self._count = 0
            self.speaking = not self.speaking
            self._on_speech(self.speaking, self._begin)


class SileroVad:
    """Voice activity of all calls of a process. Belongs to the event loop on which its first call is opened."""

    name = "local-silero"

    def __init__(self, model: Path) -> None:
        self._model = model
        self._session: Any = None
        self._states: Floats = np.zeros((2, _FIRST_ROWS, STATE), np.float32)
        self._contexts: Floats = np.zeros((_FIRST_ROWS, CONTEXT), np.float32)
        # How many windows in a row were too soft.
        self._quiet: Counts = np.zeros(_FIRST_ROWS, np.int64)
        self._free = list(range(_FIRST_ROWS - 1, -1, -1))
        self._ready: list[SileroStream] = []
        self._open = 0
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vad")

    def open(self, on_speech: Callable[[bool, int], None], *, start: float, stop: float) -> SileroStream:
        """Watch one call. Raises ProviderError while the model's file is not there."""
        if self._session is None:
            if not self._model.exists():
                raise ProviderError("local", "The local voice activity model is still being fetched.", retryable=True)
            self._session = session(network(self._model.read_bytes()))
        if not self._free:
            self._grow()
        row = self._free.pop()
        self._states[:, row] = 0
        self._contexts[row] = 0
        self._quiet[row] = 0
        self._open += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="voice activity")
        return SileroStream(self, row, on_speech, _windows(start), _windows(stop))

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._thread.shutdown(wait=False)

    def add(self, stream: SileroStream) -> None:
        """Note that a stream has a window to judge."""
        self._ready.append(stream)

    def remove(self, stream: SileroStream) -> None:
        """Take a stream's row back. A batch that is running may still write to it: rows are cleared when given out."""
        self._free.insert(0, stream.row)
        self._open -= 1
        if stream in self._ready:
            self._ready.remove(stream)

    def _grow(self) -> None:
        rows = self._contexts.shape[0]
        self._states = np.concatenate((self._states, np.zeros_like(self._states)), axis=1)
        self._contexts = np.concatenate((self._contexts, np.zeros_like(self._contexts)))
        self._quiet = np.concatenate((self._quiet, np.zeros_like(self._quiet)))
        self._free = list(range(2 * rows - 1, rows - 1, -1))

    async def _run(self) -> None:
        while self._open:
            await asyncio.sleep(TICK_SECONDS if self._open < MANY else MANY_TICK_SECONDS)
            # What fills up while a batch runs waits for the next one: small batches are dear.
            batch, self._ready = self._ready, []
            while batch:
                try:
                    batch = await self._run_batch(batch)
                except Exception:  # a batch that fails is lost; the calls must not be deaf from then on
                    log.exception("Voice activity was not judged")
                    for stream in batch:
                        stream.pending.clear()
                    break
        self._task = None

    async def _run_batch(self, batch: list[SileroStream]) -> list[SileroStream]:
        """Judge a window of each stream; the streams that have more of them waiting."""
        windows = b"".join(stream.pending.pop(0) for stream in batch)
        behind = [stream for stream in batch if stream.pending]
        rows = np.array([stream.row for stream in batch])
        before = self._states[:, rows], self._contexts[rows], self._quiet[rows]
        loop = asyncio.get_running_loop()
        verdicts = await loop.run_in_executor(self._thread, self._judge, windows, *before)
        probabilities, loud, states, contexts, quiet = verdicts
        open_now = [index for index, stream in enumerate(batch) if stream.row == rows[index]]
        self._states[:, rows[open_now]] = states[:, open_now]
        self._contexts[rows[open_now]] = contexts[open_now]
        self._quiet[rows[open_now]] = quiet[open_now]
        for index in open_now:
            self._tell(batch[index], probabilities[index], loud[index])
        return [stream for stream in behind if stream.pending]  # not those that were closed meanwhile

    def _tell(self, stream: SileroStream, probability: float, loud: bool) -> None:
        if stream.row < 0:  # closed by what another stream was told
            return
        try:
            stream.heard(probability, loud)
        except Exception:  # one call's trouble must not make the others deaf
            log.exception("A call did not take what voice activity told it")

    def _judge(
        self, windows: bytes, states: Floats, contexts: Floats, quiet: Counts
    ) -> tuple[list[float], list[bool], Floats, Floats, Counts]:
        """One window of each call. Runs on the thread; touches nothing that the loop does."""
        audio = np.frombuffer(windows, "<i2").reshape(len(contexts), WINDOW).astype(np.float32)
        loud = np.einsum("ij,ij->i", audio, audio) > SOFTEST * SOFTEST * WINDOW
        quiet = np.where(loud, 0, quiet + 1)
        probabilities = np.zeros(len(audio), np.float32)
        audio *= np.float32(1 / 32768)
        inputs = np.concatenate((contexts, audio), axis=1)
        asked = np.flatnonzero(quiet <= QUIET_WINDOWS)
        if asked.size:
            outputs, states[:, asked] = self._session.run(None, {"input": inputs[asked], "state": states[:, asked]})
            probabilities[asked] = outputs[:, 0]
        return probabilities.tolist(), loud.tolist(), states, inputs[:, -CONTEXT:], quiet


def _windows(duration: float) -> int:
    """How many windows make up `duration` seconds."""
    return max(1, round(duration * SAMPLE_RATE / WINDOW))
