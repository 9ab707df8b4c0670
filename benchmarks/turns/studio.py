"""The real models on a virtual clock: what they answer, and how long it took them on one core.

A minute of calls then takes as long as the models work, and each answer comes as late as it would on an idle machine.
Answers and voices are kept in a directory of the user's, so that a clip costs once; an answer that was kept takes as
long as on the day it was made.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.turns.sounds import Floats
from voice.clock import VirtualTimeLoop
from voice.media import SAMPLE_RATE
from voice.media.resample import resample
from voice.providers.base import ProviderError
from voice.providers.local import manifest
from voice.providers.local.client import Connection, Event
from voice.providers.local.models.kokoro import Kokoro
from voice.providers.local.models.moonshine import Moonshine
from voice.providers.local.models.runtime import floats, pcm16
from voice.providers.local.models.smart_turn import SmartTurn

T = TypeVar("T")

CACHE = Path("~/.cache/callwright/turns").expanduser()


class StudioLoop(VirtualTimeLoop):
    """A virtual loop on which work for threads is done at once, and takes no time."""

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        future: asyncio.Future[T] = self.create_future()
        future.set_result(func(*args))
        return future


class Voices:
    """The local voices, each piece of text spoken once and kept."""

    def __init__(self, models: Path, cache: Path) -> None:
        self._models = models
        self._folder = cache / "speech"
        self._folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def _kokoro(self) -> Kokoro:
        return Kokoro(self._models, threads=2)

    def speak(self, text: str, voice: str) -> Floats:
        """`text` at 16 kHz."""
        path = self._folder / f"{_digest(text.encode(), voice.encode())}.pcm"
        if not path.exists():
            pieces = [piece for piece, _ in self._kokoro.speak(text, voice=voice)]
            path.write_bytes(pcm16(resample(np.concatenate(pieces), self._kokoro.rate, SAMPLE_RATE)))
        return floats(path.read_bytes())


class Models(Connection):
    """Recognition and the end-of-turn model, behind the door that calls use; without `partials` only final words."""

    def __init__(self, answers: Answers, *, partials: bool) -> None:
        super().__init__(Path())
        self._answers = answers
        self._partials = partials

    async def one(self, op: str, payload: bytes = b"", **fields: Any) -> Event:
        if op == "stt" and not fields["final"] and not self._partials:
            raise ProviderError("local", "Nobody needs these words.")
        answer, took = self._answers.get(op, payload, fields.get("draft", []))
        await asyncio.sleep(took)
        return answer, b""


class Answers:
    """What the models said, and how many seconds of a core each answer took."""

    def __init__(self, models: Path, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        weights = _digest(*(w.sha256.encode() for part in ("stt", "turn") for w in manifest.COMPONENTS[part]))
        self._models = models
        self._path = cache / f"answers-{weights}.json"
        self._known: dict[str, tuple[Any, float]] = json.loads(self._path.read_text()) if self._path.exists() else {}

    @cached_property
    def _stt(self) -> Moonshine:
        return Moonshine(self._models)

    @cached_property
    def _turn(self) -> SmartTurn:
        return SmartTurn(self._models)

    def get(self, op: str, payload: bytes, draft: list[int]) -> tuple[dict[str, Any], float]:
        """The answer and its seconds. `draft` is what was heard of the same speech before."""
        key = _digest(op.encode(), payload, json.dumps(draft).encode())
        if key not in self._known:
            began = time.thread_time()
            answer = self._recognised(payload, draft) if op == "stt" else self._judged(payload)
            self._known[key] = answer, round(time.thread_time() - began, 4)
        answer, took = self._known[key]
        return answer, took

    def _recognised(self, payload: bytes, draft: list[int]) -> dict[str, Any]:
        text, tokens = self._stt.transcribe(payload, draft=draft)
        return {"text": text, "tokens": tokens}

    def _judged(self, payload: bytes) -> dict[str, Any]:
        return {"probability": round(self._turn.predict(payload), 4)}

    def keep(self) -> None:
        self._path.write_text(json.dumps(self._known))


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]
