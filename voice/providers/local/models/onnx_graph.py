"""Cut a part out of an ONNX model, without the `onnx` package: a model is a protocol buffer, and a part of its graph is
some of the graph's fields, copied as they are.

Numbers of fields are those of `onnx.proto`: ModelProto.graph 7; GraphProto node 1, initializer 5, input 11, output 12;
NodeProto input 1, output 2; TensorProto.name 8, data_location 14 (1 for EXTERNAL); ValueInfoProto.name 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voice.providers.local.models.wire import Field, encode, fields

_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_LOCATION = 14


@dataclass(frozen=True)
class _Node:
    whole: memoryview
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class OnnxGraph:
    """A model's file, read once; parts are cut out of it as models of their own."""

    def __init__(self, path: Path) -> None:
        top = list(fields(memoryview(path.read_bytes())))
        self._rest = [field.whole for field in top if field.number != _GRAPH]
        graph = list(fields(next(field.content for field in top if field.number == _GRAPH)))
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
                encode(2, b"part"),
                *(bytes(whole) for name, whole in self._initializers.items() if name in needed),
                *(bytes(whole) for name, whole in self._inputs.items() if name in needed),
                *(encode(_INPUT, _float_tensor(name)) for name in given),
                *(encode(_OUTPUT, _float_tensor(name)) for name in outputs),
            ]
        )
        return b"".join([*(bytes(whole) for whole in self._rest), encode(_GRAPH, graph)])


def has_external_data(path: Path) -> bool:
    """Whether a model's weights are in files beside it. Raises ValueError or IndexError for what is no model."""
    top = fields(memoryview(path.read_bytes()))
    graph = next((field.content for field in top if field.number == _GRAPH), None)
    if graph is None:
        raise ValueError("There is no graph in it.")
    weights = [fields(field.content) for field in fields(graph) if field.number == _INITIALIZER]
    return any(part.number == _LOCATION and part.integer for tensor in weights for part in tensor)


def _node(field: Field) -> _Node:
    inputs, outputs = [], []
    for part in fields(field.content):
        if part.number == 1:
            inputs.append(part.text)
        elif part.number == 2:
            outputs.append(part.text)
    return _Node(field.whole, tuple(inputs), tuple(outputs))


def _name(content: memoryview, number: int) -> str:
    return next(part.text for part in fields(content) if part.number == number)


def _float_tensor(name: str) -> bytes:
    """A ValueInfoProto: a tensor of floats, of any shape."""
    tensor = encode(1, b"\x08\x01")  # TypeProto.tensor_type with elem_type FLOAT
    return encode(1, name) + encode(2, tensor)
