"""How the local voices sound: `python -m benchmarks.voices` has each say the same and writes the table of its pitch,
melody and pace that the library's words for them come from (`voice.providers.local.styles`).

It takes some minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from voice.providers.local import manifest, speak, status
from voice.providers.local.fetch import DEFAULT_MODELS
from voice.providers.local.styles import TABLE, Measured
from voice.providers.local.tts import PIPER_VOICE

SAID = (
    "Thank you for calling. We are open from nine to five on weekdays, and until noon on Saturdays. How can I help you?"
)
RATE = 16_000
FRAME, HOP = 640, 160
"""Samples: 40 ms, which two periods of the deepest voice fit into, every 10 ms."""
LOWEST, HIGHEST = 60, 400
"""Hz of the pitch of a voice."""
VOICED = 0.7
"""The correlation of a frame with itself, a period later, from which on it has a pitch."""
QUIET = 0.05
"""Of the loudest frame: below it nothing is said."""
START_SECONDS = 300.0


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    found: dict[str, Measured] = {}
    with _voices() as socket:
        for voice in [*manifest.VOICES, PIPER_VOICE]:
            found[voice] = measure(speak(socket, SAID, voice=voice), words=len(SAID.split()))
            print(f"{voice:14} {found[voice]}", flush=True)
    TABLE.write_text(table(found))
    print(json.dumps({"voices": len(found)}))


def table(found: Mapping[str, Measured]) -> str:
    """The measurements as JSON, a voice a line."""
    lines = ",\n".join(f"    {json.dumps(voice)}: {json.dumps(asdict(own))}" for voice, own in found.items())
    return f'{{\n  "said": {json.dumps(SAID)},\n  "voices": {{\n{lines}\n  }}\n}}\n'


def measure(pcm: bytes, *, words: int) -> Measured:
    """What `words` words of speech in PCM16 at 16 kHz sound like. Raises ValueError where nothing has a pitch."""
    frames = np.lib.stride_tricks.sliding_window_view(np.frombuffer(pcm, np.int16).astype(np.float32), FRAME)[::HOP]
    loudness = np.sqrt(np.mean(frames**2, axis=1))
    said = np.flatnonzero(loudness > QUIET * loudness.max())
    found = pitches(frames[said])
    if not len(found):
        raise ValueError("no frame has a pitch")
    low, middle, high = np.percentile(found, (10, 50, 90))
    seconds = (said[-1] - said[0] + 1) * HOP / RATE
    return Measured(
        pitch=round(float(middle), 1),
        melody=round(float(12 * np.log2(high / low)), 1),
        pace=round(60 * words / float(seconds), 1),
    )


def pitches(frames: np.ndarray) -> np.ndarray:
    """The pitch in Hz of those of some frames (N x FRAME samples) that have one, from their autocorrelation."""
    windowed = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(FRAME)
    spectrum = np.abs(np.fft.rfft(windowed, 2 * FRAME, axis=1)) ** 2
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(FRAME), 2 * FRAME)) ** 2)
    # Divided by the window's own, so that long periods are not put at a disadvantage (Boersma 1993).
    correlation = np.fft.irfft(spectrum, axis=1)[:, :FRAME] / window[:FRAME].clip(min=1e-6)
    correlation /= correlation[:, :1].clip(min=1e-6)
    lags = np.arange(RATE // HIGHEST, RATE // LOWEST + 1)
    among = correlation[:, lags]
    best = among.max(axis=1)
    # Twice the period fits as well as the period: the first peak that is nearly the best is meant.
    peaks = (among >= 0.9 * best[:, None]) & (among >= correlation[:, lags - 1]) & (among >= correlation[:, lags + 1])
    rows = np.flatnonzero((best > VOICED) & peaks.any(axis=1))
    first = lags[peaks[rows].argmax(axis=1)]
    before, at, after = (correlation[rows, first + step] for step in (-1, 0, 1))
    # The top of the parabola through the three: a sample is 2 % of a bright voice's period.
    return np.asarray(RATE / (first + (before - after) / 2 / (before - 2 * at + after)))


@contextlib.contextmanager
def _voices() -> Iterator[Path]:
    """The socket of a model process that speaks; it has no language model."""
    with tempfile.TemporaryDirectory(prefix="callwright-") as folder:
        socket = Path(folder) / "models.sock"
        command = [sys.executable, "-m", "voice.providers.local.server", "--socket", str(socket), "--llm", "none"]
        with subprocess.Popen([*command, "--models", str(DEFAULT_MODELS)], stderr=subprocess.DEVNULL) as process:
            try:
                deadline = time.monotonic() + START_SECONDS
                while not all(map(status(socket).is_ready, ("tts", "voices", "piper"))):
                    if process.poll() is not None or time.monotonic() > deadline:
                        sys.exit("The voices did not come up. Run make models first.")
                    time.sleep(0.2)
                yield socket
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
