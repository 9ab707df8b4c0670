"""How the voices on this machine sound, in words that anybody can check: they come from measurements, not from taste.

`measured.json` has them, made by `make bench-voices`. A word says where a voice stands among the others: its pitch
among those of its gender, the rest among all. The outer thirds get the telling words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import quantiles

TABLE = Path(__file__).with_name("measured.json")
PITCH = ("deep", "medium pitch", "bright")
PACE = ("calm", "even pace", "brisk")
MELODY = ("level", "", "lively")


@dataclass(frozen=True, slots=True)
class Measured:
    """A voice, measured on some sentences: the median of its pitch in Hz, its melody in semitones (from the 10th
    percentile of the pitch to the 90th), and its pace in words a minute, pauses included."""

    pitch: float
    melody: float
    pace: float


def is_female(voice: str) -> bool:
    """As Kokoro's names say: "af_heart". Piper's voice here is a man's."""
    return voice[1:3] == "f_"


def styles(voice: str) -> tuple[str, ...]:
    """The words for one of our voices: "deep", "calm", "level". None for a voice that was not measured."""
    return _styles().get(voice, ())


@cache
def measured() -> dict[str, Measured]:
    """The measurements, by voice."""
    return {voice: Measured(**numbers) for voice, numbers in json.loads(TABLE.read_text())["voices"].items()}


@cache
def _styles() -> dict[str, tuple[str, ...]]:
    known = measured()
    found = {}
    for voice, own in known.items():
        peers = [other.pitch for name, other in known.items() if is_female(name) == is_female(voice)]
        words = (
            PITCH[_third(own.pitch, peers)],
            PACE[_third(own.pace, (other.pace for other in known.values()))],
            MELODY[_third(own.melody, (other.melody for other in known.values()))],
        )
        found[voice] = tuple(filter(None, words))
    return found


def _third(value: float, among: Iterable[float]) -> int:
    """0 for the lowest third, 2 for the highest."""
    low, high = quantiles(among, n=3)
    return (value > low) + (value > high)
