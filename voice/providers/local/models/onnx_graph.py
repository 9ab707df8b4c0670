"""Cut a part out of an ONNX model, without the `onnx` package: a model is a protocol buffer, and a part of its graph is
some of the graph's fields, copied as they are.

Numbers of fields are those of `onnx.proto`: ModelProto.graph 7; GraphProto node 1, initializer 5, input 11, output 12;
NodeProto input 1, output 2; TensorProto.name 8; ValueInfoProto.name 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class _Field:
    number: int
    whole: memoryview
    content: memoryview


@dataclass(frozen=True)
class _Node:
    whole: memoryview
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class OnnxGraph:
    """A model's file, read once; parts are cut out of it as models of their own."""

    def __init__(self, path: Path) -> None:
        top = list(_fields(memoryview(path.read_bytes())))
        self._rest = [field.whole for field in top if field.number != _GRAPH]
        graph = list(_fields(next(field.content for field in top if field.number == _GRAPH)))
        self._nodes = [_node(field) for field in graph if field.number == _NODE]
        self._initializers = {_name(f.content, 8): f.whole for f in graph if f.number == _INITIALIZER}
        self._inputs = {_name(f.content, 1): f.whole for f in graph if f.number == _INPUT}

    def part(self, outputs: Sequence[str], *, given: Sequence[str] = ()) -> bytes:
        """The model that makes `outputs` from the original inputs and from the inner tensors `given` (floats).

        Raises KeyError where the graph has no such tensors.
        """
        makers = {output: node for node in self._nodes for output in node.outputs}
        needed: set[str] = set()
        waiting = list(outputs)
        while waiting:
            name = waiting.pop()
            if name in needed or not name:
                continue
            needed.add(name)
            if name in given or name in self._initializers or name in self._inputs:
                continue
            waiting += makers[name].inputs
        # Nodes stay in their order, in which each comes after those that it depends on.
        made = needed - set(given)
        nodes = [node.whole for node in self._nodes if made.intersection(node.outputs)]
        graph = b"".join(
            [
                *(bytes(node) for node in nodes),
                _encode(2, b"part"),
                *(bytes(whole) for name, whole in self._initializers.items() if name in needed),
                *(bytes(whole) for name, whole in self._inputs.items() if name in needed),
                *(_encode(_INPUT, _float_tensor(name)) for name in given),
                *(_encode(_OUTPUT, _float_tensor(name)) for name in outputs),
            ]
        )
        return b"".join([*(bytes(whole) for whole in self._rest), _encode(_GRAPH, graph)])


def _node(field: _Field) -> _Node:
    inputs, outputs = [], []
    for part in _fields(field.content):
        if part.number == 1:
            inputs.append(bytes(part.content).decode())
        elif part.number == 2:
            outputs.append(bytes(part.content).decode())
    return _Node(field.whole, tuple(inputs), tuple(outputs))


def _name(content: memoryview, number: int) -> str:
    return next(bytes(part.content).decode() for part in _fields(content) if part.number == number)


def _float_tensor(name: str) -> bytes:
    """A ValueInfoProto: a tensor of floats, of any shape."""
    tensor = _encode(1, b"\x08\x01")  # TypeProto.tensor_type with elem_type FLOAT
    return _encode(1, name.encode()) + _encode(2, tensor)


def _fields(data: memoryview) -> Iterator[_Field]:
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
            raise ValueError("This is not an ONNX model.")
        yield _Field(key >> 3, data[start:place], data[begin:place])


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7


def _encode(number: int, content: bytes) -> bytes:
    """A field of bytes."""
    prefix = bytearray()
    for value in (number << 3 | _BYTES, len(content)):
        while value > 127:
            prefix.append(value & 127 | 128)
            value >>= 7
        prefix.append(value)
    return bytes(prefix) + content
