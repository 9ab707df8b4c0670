from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.fixtures_models import models, models_dir, models_socket
from voice.providers.local.client import Connection
from voice.providers.local.server import Operations, Server, listen
from voice.providers.local.status import Board

__all__ = ["models", "models_dir", "models_socket"]

Serving = Callable[[Operations], contextlib.AbstractAsyncContextManager[Connection]]


@pytest.fixture
def socket_path():
    """A path that is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="callwright-") as folder:
        yield Path(folder) / "models.sock"


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def serving(socket_path: Path, board: Board) -> Serving:
    """Serve some operations, and connect to them."""

    @contextlib.asynccontextmanager
    async def serve(operations: Operations) -> AsyncIterator[Connection]:
        server = Server(board, operations)
        await server.start(listen(socket_path))
        connection = Connection(socket_path)
        await connection.start()
        yield connection
        await connection.close()
        server.close()
        await asyncio.sleep(0)

    return serve
