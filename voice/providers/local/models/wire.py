"""Protocol buffers, as much of them as ONNX files need: a message is a row of numbered fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Field:
    """One field: `whole` as it stands in the message, `content` without its key and its length."""

    number: int
    whole: memoryview
    content: memoryview

    @property
    def text(self) -> str:
        return bytes(self.content).decode()

    @property
    def integer(self) -> int:
        return _varint(self.content, 0)[0]


def fields(data: memoryview) -> Iterator[Field]:
    """The fields of a message. Raises ValueError for what is none."""
    place = 0
    while place < len(data):
        start = place
        key, place = _varint(data, place)
        kind, begin = key & 7, place
        if kind == _VARINT:
            _, place = _varint(data, place)
        elif kind == _BYTES:
            length, begin = _varint(data, place)
            place = begin + length
        elif kind in (_FIXED32, _FIXED64):
            place += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError("This is not a protocol buffer.")
        yield Field(key >> 3, data[start:place], data[begin:place])


def encode(number: int, value: int | str | bytes) -> bytes:
    """A field. Integers must not be negative."""
    if isinstance(value, int):
        return _number(number << 3 | _VARINT) + _number(value)
    content = value.encode() if isinstance(value, str) else value
    return _number(number << 3 | _BYTES) + _number(len(content)) + content


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7


def _number(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)
