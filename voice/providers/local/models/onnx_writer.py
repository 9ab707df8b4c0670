"""Makes an ONNX model, without the `onnx` package.

Numbers of fields are those of `onnx.proto`: ModelProto ir_version 1, graph 7, opset_import 8; GraphProto node 1,
name 2, initializer 5, input 11, output 12; NodeProto input 1, output 2, op_type 4, attribute 5; AttributeProto name 1,
i 3, s 4, type 20; TensorProto dims 1, data_type 2, name 8, raw_data 9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from voice.providers.local.models.runtime import Floats
from voice.providers.local.models.wire import encode

OPSET, IR_VERSION = 16, 8
FLOAT, INT64 = 1, 7
_INTEGER, _STRING = 2, 3

Shape = Sequence[int | str]
"""A dimension that has a name may be of any size."""


class OnnxWriter:
    """A graph in the making. Methods add nodes and give the names of their outputs; columns lie on axis 1."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, values: Floats | npt.NDArray[np.int64]) -> str:
        name = f"constant{len(self._constants)}"
        tensor = b"".join(encode(1, size) for size in values.shape)
        tensor += encode(2, FLOAT if values.dtype == np.float32 else INT64)
        tensor += encode(8, name) + encode(9, np.ascontiguousarray(values).tobytes())
        self._constants.append(tensor)
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def add(self, operator: str, inputs: Sequence[str], *, output: str = "", **attributes: int | str) -> str:
        """Any operator with one output, which is given a name unless it has one."""
        output = output or f"node{len(self._nodes)}"
        self._add(operator, inputs, [output], attributes)
        return output

    def split(self, whole: str, *sizes: int, axis: int) -> list[str]:
        outputs = [f"node{len(self._nodes)}.{i}" for i in range(len(sizes))]
        self._add("Split", [whole, self.ints(*sizes)], outputs, {"axis": axis})
        return outputs

    def padded(self, columns: str, before: int, after: int) -> str:
        """Columns of zeros at the ends."""
        return self.add("Pad", [columns, self.ints(0, before, 0, 0, after, 0)])

    def windows(self, columns: str, *, width: int, count: int, step: int = 1) -> str:
        """`count` windows of `width` neighbouring columns, each as one long column."""
        length = (count - 1) * step + 1
        axis, stride = self.ints(1), self.ints(step)
        shifted = [
            self.add("Slice", [columns, self.ints(first), self.ints(first + length), axis, stride])
            for first in range(width)
        ]
        return self.add("Concat", shifted, axis=2)

    def layer(self, inputs: str, matrix: Floats, bias: Floats, *, activation: str = "Relu") -> str:
        """A dense layer over the last axis; `activation` may be empty."""
        product = self.add("Add", [self.add("MatMul", [inputs, self.constant(matrix)]), self.constant(bias)])
        return self.add(activation, [product]) if activation else product

    def model(self, name: str, *, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> bytes:
        """The model's file. Inputs and outputs are floats."""
        graph = b"".join(encode(1, node) for node in self._nodes) + encode(2, name)
        graph += b"".join(encode(5, constant) for constant in self._constants)
        graph += b"".join(encode(11, _floats(*named)) for named in inputs.items())
        graph += b"".join(encode(12, _floats(*named)) for named in outputs.items())
        return encode(1, IR_VERSION) + encode(7, graph) + encode(8, encode(1, "") + encode(2, OPSET))

    def _add(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Mapping[str, int | str]
    ) -> None:
        node = b"".join(encode(1, name) for name in inputs) + b"".join(encode(2, name) for name in outputs)
        node += encode(4, operator)
        for name, value in attributes.items():
            kind = encode(20, _STRING if isinstance(value, str) else _INTEGER)
            node += encode(5, encode(1, name) + encode(4 if isinstance(value, str) else 3, value) + kind)
        self._nodes.append(node)


def _floats(name: str, shape: Shape) -> bytes:
    """A ValueInfoProto: a named tensor of floats."""
    sizes = b"".join(encode(1, encode(1 if isinstance(size, int) else 2, size)) for size in shape)
    return encode(1, name) + encode(2, encode(1, encode(1, FLOAT) + encode(2, sizes)))
