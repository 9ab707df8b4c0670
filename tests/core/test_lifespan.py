"""What runs when a server starts and stops."""

from __future__ import annotations

from typing import Any

import pytest

from core import lifespan


@pytest.fixture(autouse=True)
def _no_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifespan, "_startup", [])
    monkeypatch.setattr(lifespan, "_shutdown", [])
    monkeypatch.setattr(lifespan, "_running", False)


@pytest.fixture
def ran() -> list[str]:
    return []


def hook(ran: list[str], name: str, *, fails: bool = False) -> lifespan.Hook:
    async def run() -> None:
        ran.append(name)
        if fails:
            raise RuntimeError(f"{name} failed")

    return run


async def serve(*types: str) -> list[dict[str, Any]]:
    """The answers of the ASGI application to messages of these types."""
    left, sent = list(types), []

    async def receive() -> dict[str, Any]:
        return {"type": f"lifespan.{left.pop(0)}"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await lifespan.application({"type": "lifespan"}, receive, send)
    return sent


async def test_what_was_started_last_is_stopped_first(ran: list[str]) -> None:
    for name in "ab":
        lifespan.on_startup(hook(ran, f"start {name}"))
        lifespan.on_shutdown(hook(ran, f"stop {name}"))
    sent = await serve("startup", "shutdown")
    assert ran == ["start a", "start b", "stop b", "stop a"]
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_failure_stops_the_start_and_takes_down_what_had_started(ran: list[str]) -> None:
    lifespan.on_startup(hook(ran, "start a"))
    lifespan.on_shutdown(hook(ran, "stop a"))
    lifespan.on_startup(hook(ran, "start b", fails=True))
    lifespan.on_startup(hook(ran, "start c"))
    sent = await serve("startup")
    assert ran == ["start a", "start b", "stop a"]
    assert sent == [{"type": "lifespan.startup.failed", "message": "start b failed"}]


async def test_one_hook_that_fails_does_not_keep_the_others_from_stopping(ran: list[str]) -> None:
    lifespan.on_shutdown(hook(ran, "stop a"))
    lifespan.on_shutdown(hook(ran, "stop b", fails=True))
    sent = await serve("startup", "shutdown")
    assert ran == ["stop b", "stop a"]
    assert sent[-1]["type"] == "lifespan.shutdown.complete"


async def test_stopping_happens_once_and_only_after_a_start(ran: list[str]) -> None:
    lifespan.on_shutdown(hook(ran, "stop"))
    await lifespan.shutdown()
    assert ran == []
    await lifespan.startup()
    await lifespan.shutdown()
    await lifespan.shutdown()
    assert ran == ["stop"]
