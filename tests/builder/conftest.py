"""The model process that pages of agents ask, without one."""

from __future__ import annotations

import pytest

from builder import engine
from voice.providers.local import Component, ModelsStatus

ALL_READY = ModelsStatus(
    True, tuple(Component(name, name, "ready") for name in ("vad", "turn", "stt", "piper", "tts", "embed", "llm"))
)


@pytest.fixture(autouse=True)
def _models_are_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "models_status", lambda: ALL_READY)
