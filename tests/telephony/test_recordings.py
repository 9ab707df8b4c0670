"""Recordings as a player asks for them: in parts, through the whole of the ASGI application's middleware."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import AsyncClient
from django.urls import reverse

from accounts.models import User
from core import downloads
from telephony.models import Call
from telephony.recordings import recording_path
from tests.conftest import CallFactory

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = bytes(range(256)) * 1000
SIZE = len(CONTENT)


@pytest.fixture
def call(call_factory: CallFactory) -> Call:
    made = call_factory(recording_seconds=4.0)
    path = recording_path(made.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    return made


async def ask(call: Call, user: User, **headers: str) -> Any:
    client = AsyncClient()
    await client.aforce_login(user)
    return await client.get(reverse("call_recording", args=[call.organization.slug, call.pk]), headers=headers)


async def body(response: Any) -> bytes:
    assert response.is_async
    return b"".join([chunk async for chunk in response.streaming_content])


async def test_the_whole_recording(call: Call, viewer: User) -> None:
    response = await ask(call, viewer)
    assert response.status_code == 200
    assert await body(response) == CONTENT
    assert response["Content-Length"] == str(SIZE)
    assert response["Content-Type"] == "audio/wav"
    assert response["Accept-Ranges"] == "bytes"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == f'inline; filename="{call.pk}.wav"'


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=255000-", 255_000, SIZE),
        ("bytes=-500", SIZE - 500, SIZE),
        ("bytes=-999999", 0, SIZE),
        ("bytes=255000-999999", 255_000, SIZE),
        ("bytes=0-", 0, SIZE),
    ],
)
async def test_a_part_of_it(call: Call, viewer: User, asked: str, start: int, end: int) -> None:
    response = await ask(call, viewer, Range=asked)
    assert response.status_code == 206
    assert await body(response) == CONTENT[start:end]
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert response["Content-Length"] == str(end - start)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=999999-1000000", "bytes=-0", "bytes=20-10"])
async def test_a_part_that_is_not_there(call: Call, viewer: User, asked: str) -> None:
    response = await ask(call, viewer, Range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response.content == b""


@pytest.mark.parametrize("asked", ["bytes=-", "chapters=1-2", "bytes=0-1,5-6", "bytes=a-b", ""])
async def test_a_range_that_is_none_gets_the_whole(call: Call, viewer: User, asked: str) -> None:
    response = await ask(call, viewer, Range=asked)
    assert response.status_code == 200
    assert len(await body(response)) == SIZE


async def test_a_part_of_a_recording_that_has_changed_since_is_the_whole_of_it(call: Call, viewer: User) -> None:
    unchanged = (await ask(call, viewer))["Last-Modified"]
    part = await ask(call, viewer, Range="bytes=0-9", **{"If-Range": unchanged})
    assert part.status_code == 206
    whole = await ask(call, viewer, Range="bytes=0-9", **{"If-Range": "Mon, 01 Jan 2024 00:00:00 GMT"})
    assert whole.status_code == 200


async def test_a_head_request_gets_no_body(call: Call, viewer: User) -> None:
    client = AsyncClient()
    await client.aforce_login(viewer)
    response = await client.head(reverse("call_recording", args=[call.organization.slug, call.pk]))
    assert (response.status_code, response["Content-Length"], response.content) == (200, str(SIZE), b"")


async def test_it_is_read_piece_by_piece(call: Call, viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "CHUNK_BYTES", 1000)
    response = await ask(call, viewer)
    assert {len(chunk) async for chunk in response.streaming_content} == {1000}
