"""smart-turn v3.2: has the speaker finished? (BSD-2-Clause, Daily.)"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voice.providers.local import manifest
from voice.providers.local.models.features import log_mel
from voice.providers.local.models.runtime import floats, session


class SmartTurn:
    def __init__(self, models: Path, *, threads: int = 1) -> None:
        self._session = session(models / manifest.SMART_TURN, threads=threads)

    def predict(self, pcm: bytes) -> float:
        """The probability that the speaker of `pcm` (16 kHz PCM16, its last 8 s count) is done."""
        outputs = self._session.run(None, {"input_features": log_mel(floats(pcm))[None]})
        return float(np.ravel(outputs[0])[0])
