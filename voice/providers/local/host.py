"""The models of this machine: fetched, loaded and warmed one after the other, each usable as soon as it is ready."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from voice.providers.base import ProviderError
from voice.providers.local import manifest
from voice.providers.local.checks import llm_trouble
from voice.providers.local.download import FetchError, Stopped
from voice.providers.local.fetch import Fetcher
from voice.providers.local.status import Board

log = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
LLM_NICE = 10

Loader = Callable[[Path], Any]


def _load_turn(models: Path) -> Any:
    from voice.providers.local.models.smart_turn import SmartTurn

    turn = SmartTurn(models)
    turn.predict(bytes(32_000))
    return turn


def _load_stt(models: Path) -> Any:
    from voice.providers.local.models.moonshine import Moonshine

    stt = Moonshine(models)
    stt.transcribe(bytes(64_000))
    return stt


def _load_piper(models: Path) -> Any:
    from voice.providers.local.models.piper import Piper

    piper = Piper.joe(models)
    list(piper.speak("Good morning."))
    return piper


def _load_kokoro(models: Path) -> Any:
    from voice.providers.local.models.kokoro import Kokoro

    kokoro = Kokoro(models, threads=2)
    list(kokoro.speak("Good morning.", voice="af_heart"))
    return kokoro


def _check_voices(models: Path) -> Any:
    """Their vectors are read when they are asked for."""
    return models / "tts/voices"


def _load_embedder(models: Path) -> Any:
    from voice.providers.local.models.minilm import MiniLm

    embedder = MiniLm(models)
    embedder.embed("Good morning.")
    return embedder


def _load_llm(models: Path) -> Any:
    from voice.providers.local.models.qwen import Qwen

    if trouble := llm_trouble():
        raise ProviderError("local", trouble)
    # Where there is not enough processor for all, hearing and speech go first: what the model has written waits for
    # the voice anyway. Its threads take this over from the one that starts them.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LLM_NICE)
    llm = Qwen(models)
    llm.warm([{"role": "user", "content": "Hello."}], stop=lambda: False)
    return llm


def _check_vad(models: Path) -> Any:
    """Voice activity is detected in the processes that have the calls; here it only has to be there."""
    return models / manifest.SILERO


LOADERS: Mapping[str, Loader] = {
    "vad": _check_vad,
    "turn": _load_turn,
    "stt": _load_stt,
    "piper": _load_piper,
    "tts": _load_kokoro,
    "voices": _check_voices,
    "embed": _load_embedder,
    "llm": _load_llm,
}


class Fetches(Protocol):
    def fetch(self, name: str, *, keep_for: Collection[str] = ()) -> None:
        """Bring a component's files. Raises FetchError and Stopped."""


class Host:
    """Brings the models up on threads of its own, and brings up again, now and then, what could not be had."""

    def __init__(
        self,
        models: Path,
        board: Board,
        *,
        llm: bool = True,
        loaders: Mapping[str, Loader] = LOADERS,
        fetcher: Fetches | None = None,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._models = models
        self._board = board
        self._loaders = loaders
        self._stop = threading.Event()
        self._fetcher: Fetches = fetcher or Fetcher(models, board, stop=self._stop)
        self._retry_seconds = retry_seconds
        self._loaded: dict[str, Any] = {}
        self._wanted = [name for name in loaders if name != "llm" or llm]
        if not llm:
            board.set("llm", state="off", message="Left out with LLM=none.")
        self._fetching = threading.Thread(target=self._fetch_all, name="models-fetch", daemon=True)

    def start(self) -> None:
        self._fetching.start()

    def stop(self) -> None:
        """Stop fetching. A download that is going on is ended before this returns."""
        self._stop.set()
        self._fetching.join(2.0)
        for model in self._loaded.values():
            if hasattr(model, "close"):
                model.close()

    def get(self, name: str) -> Any:
        """The model `name`. Raises ProviderError, saying what it waits for, while it is not ready."""
        model = self._loaded.get(name)
        if model is None:
            raise not_ready(self._board, name)
        return model

    def has(self, name: str) -> bool:
        return name in self._loaded

    def _fetch_all(self) -> None:
        """Fetch one component after the other, loading each while the next one comes; then mend what failed."""
        waiting = list(self._wanted)
        try:
            while waiting:
                started = [self._bring(name, waiting) for name in waiting]
                while any(loading is not None and loading.is_alive() for loading in started):
                    if self._stop.wait(0.1):
                        return
                waiting = [name for name in waiting if name not in self._loaded]
                if waiting and self._stop.wait(self._retry_seconds):
                    return
        except Stopped:
            return

    def _bring(self, name: str, others: list[str]) -> threading.Thread | None:
        """Fetch a component and begin to load it."""
        if name == "llm" and (trouble := llm_trouble()):
            self._board.set(name, state="failed", message=trouble)
            return None
        try:
            self._fetcher.fetch(name, keep_for=others)
        except FetchError as error:
            self._board.set(name, state="failed", message=str(error))
            return None
        self._board.set(name, state="loading", speed=0.0, message="")
        loading = threading.Thread(target=self._load, args=(name,), name=f"models-load-{name}", daemon=True)
        loading.start()
        return loading

    def _load(self, name: str) -> None:
        try:
            self._loaded[name] = self._loaders[name](self._models)
        except ProviderError as error:
            self._board.set(name, state="failed", message=str(error))
        except Exception as error:  # whatever a model's library raises
            log.exception("model_not_loaded", extra={"component": name})
            self._board.set(name, state="failed", message=f"It could not be loaded: {error}")
        else:
            self._board.set(name, state="ready", message="")


def not_ready(board: Board, name: str) -> ProviderError:
    """What to tell those who ask for a model that cannot be used."""
    component = board.get(name)
    label = component.label.lower()
    match component.state:
        case "off":
            text = f"The local {label} is switched off (LLM=none)."
        case "failed":
            text = f"The local {label} is not available. {component.message}"
        case "downloading":
            share = 100 * component.done // max(component.total, 1)
            text = f"The local {label} is still being downloaded ({share} %)."
        case _:
            text = f"The local {label} is still loading."
    return ProviderError("local", text, retryable=component.state != "off")
