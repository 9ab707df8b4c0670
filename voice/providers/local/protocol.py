"""What the model process and its clients say to each other over the Unix socket.

A message is two big-endian 32-bit lengths, a JSON object and a payload of bytes (audio). A client asks with
`{"id": n, "op": ...}` and may withdraw with `{"cancel": n}`. The server answers each request with any number of
`{"id": n, "event": "chunk", ...}` and one `{"id": n, "event": "end"}` or `{"id": n, "event": "error", "message": ...,
"busy": bool}`; and tells every client `{"event": "status", "components": [...]}` at once and upon each change.

Operations, with what they ask and what their chunks hold:

    stt    payload: PCM16 16 kHz; final: bool        -> text
    turn   payload: PCM16 16 kHz                     -> probability
    tts    text, voice, speed, language              -> payload: PCM16 16 kHz, several times
    embed  texts                                     -> payload: float32, 384 for each text
    llm    messages, temperature, max_tokens, extra  -> text, several times; then reason and token counts
    warm   messages                                  -> nothing
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any

LENGTHS = struct.Struct(">II")
MOST_HEADER = 4 << 20
MOST_PAYLOAD = 32 << 20

Header = dict[str, Any]


class ProtocolError(Exception):
    """The other side does not speak this protocol."""


def encode(header: Mapping[str, Any], payload: bytes = b"") -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    return LENGTHS.pack(len(text), len(payload)) + text + payload


def lengths(prefix: bytes) -> tuple[int, int]:
    """The lengths of header and payload. Raises ProtocolError where they are out of bounds."""
    header, payload = LENGTHS.unpack(prefix)
    if header > MOST_HEADER or payload > MOST_PAYLOAD:
        raise ProtocolError("A message is too long.")
    return header, payload


def decode(text: bytes) -> Header:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise ProtocolError("A message's header is not JSON.") from error
    if not isinstance(header, dict):
        raise ProtocolError("A message's header is not an object.")
    return header


async def read(reader: asyncio.StreamReader) -> tuple[Header, bytes]:
    """The next message. Raises asyncio.IncompleteReadError at the end of the stream."""
    header, payload = lengths(await reader.readexactly(LENGTHS.size))
    return decode(await reader.readexactly(header)), await reader.readexactly(payload)
