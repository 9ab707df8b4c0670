"""What the tests with Pipecat need. They are skipped, each by its name, where it is not installed."""

from __future__ import annotations

import asyncio
import importlib
import warnings
from importlib.util import find_spec
from typing import Any

import pytest

_ABSENT = find_spec("pipecat") is None
_MEND = 'uv pip install "pipecat-ai==1.14.*"'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "pipecat" and item.path.stem != "test_without":
            why = f"{item.name} needs Pipecat, which is not installed: {_MEND}"
            item.add_marker(pytest.mark.skipif(_ABSENT, reason=why))


@pytest.fixture(scope="session", autouse=True)
def _loaded() -> None:
    """Pipecat warns while it is imported, of what it does itself."""
    if not _ABSENT:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("voice.providers.pipecat.host")


@pytest.fixture
def services(_loaded: None) -> Any:
    """The module with services of our own."""
    found = importlib.import_module("tests.voice.providers.pipecat.services")
    for kind in (found.Speaker, found.Ear, found.Thinker):
        kind.made.clear()
    found.Speaker.asked, found.Slow.starting = asyncio.Event(), asyncio.Event()
    return found
