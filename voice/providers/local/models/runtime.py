"""ONNX sessions as all our models want them, and audio as they take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]


def session(model: Path | bytes, *, threads: int = 1) -> Any:
    """An inference session on the CPU, of a model or its file. Its threads sleep while there is nothing to do."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Work is shared out in ever smaller blocks: a thread that another process holds up does not hold up the others.
    options.add_session_config_entry("session.dynamic_block_base", "4")
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
    )


def floats(pcm: bytes) -> Floats:
    """PCM16 as floats from -1 to 1."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def pcm16(samples: Floats) -> bytes:
    """Floats from -1 to 1 as PCM16; what is louder is clipped."""
    return (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()
