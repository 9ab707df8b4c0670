"""Speech and language models on this machine, shared by all processes through one model process.

`server` is that process; `LocalModels` is what the others use. `fetch` brings the weights.
"""

from __future__ import annotations

from pathlib import Path

from voice.providers.local import manifest
from voice.providers.local.client import Connection, speak, status
from voice.providers.local.embed import LocalEmbedder
from voice.providers.local.llm import LocalLlm
from voice.providers.local.status import Component, ModelsStatus
from voice.providers.local.stt import LocalStt
from voice.providers.local.tts import PHONEMES, LocalTts
from voice.providers.local.turn import LocalEndOfTurn
from voice.providers.local.vad import SileroVad

__all__ = ["PHONEMES", "Component", "LocalModels", "ModelsStatus", "speak", "status"]


class LocalModels:
    """This process's connection to the model process, and the adapters that use it.

    Make one per process and event loop. `vad` is the exception: it runs here, where the calls are.
    """

    def __init__(self, socket: Path, models: Path) -> None:
        self._connection = Connection(socket)
        self.stt = LocalStt(self._connection)
        self.tts = LocalTts(self._connection)
        self.light_tts = LocalTts(self._connection, light=True)
        self.llm = LocalLlm(self._connection)
        self.end_of_turn = LocalEndOfTurn(self._connection)
        self.embedder = LocalEmbedder(self._connection)
        self.vad = SileroVad(models / manifest.SILERO)

    @property
    def status(self) -> ModelsStatus:
        """What the models are doing, as last told."""
        return self._connection.status

    async def start(self) -> None:
        """Connect. The model process need not be there yet: the connection is made when it is, and made again."""
        await self._connection.start()

    async def close(self) -> None:
        await self._connection.close()
        self.vad.close()
