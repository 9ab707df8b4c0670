"""The end of turns: smart-turn, in the model process or in processes of one's own."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from voice.providers.base import ProviderBusy, ProviderError
from voice.providers.local.client import NAME, Connection
from voice.providers.local.models.smart_turn import SmartTurn


class LocalEndOfTurn:
    """smart-turn through the model process."""

    name = "local-smart-turn"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def predict(self, audio: bytes) -> float:
        header, _ = await self._connection.one("turn", audio)
        return float(header["probability"])


class ProcessPoolEndOfTurn:
    """smart-turn in worker processes of this one, for a process with many calls and no model process beside it."""

    name = "local-smart-turn"

    def __init__(self, models: Path, workers: int = 1, limit: int = 64) -> None:
        self._limit = limit
        self._waiting = 0
        # A fresh interpreter: forking a process that has threads may copy a locked lock.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_load, initargs=(models,))

    async def start(self) -> None:
        """Start and warm the workers."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._pool, _predict, bytes(3200)) for _ in range(4)))

    @property
    def pids(self) -> list[int]:
        """The workers' process ids, for those who measure them."""
        return list(self._pool._processes or ())

    async def predict(self, audio: bytes) -> float:
        if self._waiting >= self._limit:
            raise ProviderBusy(NAME, f"{self._waiting} pauses wait for the end-of-turn model.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, _predict, audio)
        except BrokenProcessPool as error:
            raise ProviderError(NAME, "The end-of-turn model's process has ended.") from error
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


_model: SmartTurn | None = None


def _load(models: Path) -> None:
    global _model
    _model = SmartTurn(models)


def _predict(audio: bytes) -> float:
    if _model is None:
        raise RuntimeError("This process has not loaded the model.")
    return _model.predict(audio)
