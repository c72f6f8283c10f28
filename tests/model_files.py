"""Makes ONNX files, honest and hostile ones, small enough to be written by a test."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
#: 32 GiB as 32-bit numbers.
LARGE = 1 << 33


def serialized(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    weights: list[onnx.TensorProto] | None = None,
    opsets: dict[str, int] | None = None,
) -> bytes:
    graph = helper.make_graph(nodes, "graph", inputs, outputs, weights or [])
    imports = [helper.make_opsetid(*each) for each in (opsets or {"": OPSET}).items()]
    return bytes(helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString())


def value(name: str, shape: list[Any], dtype: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def weight(name: str, array: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(array), name)


def honest(width: int = 4, factor: float = 2.0, batch: int | str = "batch") -> bytes:
    """Gives y, which is factor * x + 1."""
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "one"], ["y"]),
    ]
    weights = [weight("factor", np.float32(factor)), weight("one", np.float32(1))]
    return serialized(nodes, [value("x", [batch, width])], [value("y", [batch, width])], weights)


def slower(layers: int, width: int = 256) -> bytes:
    """`layers` products with a matrix, one after the other."""
    nodes = [
        helper.make_node("MatMul", [f"x{n}" if n else "x", "matrix"], [f"x{n + 1}"])
        for n in range(layers)
    ]
    nodes.append(helper.make_node("Identity", [f"x{layers}"], ["y"]))
    matrix = np.random.default_rng(1).standard_normal((width, width)).astype(np.float32) / width
    shape = ["batch", width]
    return serialized(nodes, [value("x", shape)], [value("y", shape)], [weight("matrix", matrix)])


def unary(operator: str, domain: str = "", opsets: dict[str, int] | None = None) -> bytes:
    node = helper.make_node(operator, ["x"], ["y"], domain=domain)
    return serialized([node], [value("x", [1, 4])], [value("y", [1, 4])], opsets=opsets)


def data_elsewhere(location: str) -> bytes:
    """Its weight is said to lie in another file."""
    model = onnx.load_from_string(honest())
    outside = model.graph.initializer[0]
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value=location)
    outside.external_data.add(key="length", value="4")
    return bytes(model.SerializeToString())


def data_elsewhere_in_a_branch(location: str) -> bytes:
    """The same in a constant inside a branch of an If."""
    constant = onnx.load_from_string(data_elsewhere(location)).graph.initializer[0]
    inside = helper.make_node("Constant", [], ["branch"], value=constant)
    branch = helper.make_graph([inside], "branch", [], [value("branch", [])])
    choose = helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)
    yes = weight("yes", np.bool_(True))
    return serialized([choose], [value("x", [1])], [value("y", [])], [yes])


def petabyte_weight() -> bytes:
    """A weight of 2^50 numbers, of which four bytes are there."""
    model = onnx.load_from_string(honest())
    claimed = model.graph.initializer[0]
    claimed.dims[:] = [1 << 25, 1 << 25]
    claimed.raw_data = b"\0\0\0\0"
    return bytes(model.SerializeToString())


def petabyte_input() -> bytes:
    return serialized(
        [helper.make_node("Identity", ["x"], ["y"])],
        [value("x", [1 << 25, 1 << 25])],
        [value("y", [1 << 25, 1 << 25])],
    )


def endless_loop() -> bytes:
    """A Loop that counts to 2^63 - 1."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["goes_on"]),
            helper.make_node("Add", ["carried", "carried"], ["next"]),
        ],
        "body",
        [
            value("turn", [], TensorProto.INT64),
            value("going", [], TensorProto.BOOL),
            value("carried", [1]),
        ],
        [value("goes_on", [], TensorProto.BOOL), value("next", [1])],
    )
    loop = helper.make_node("Loop", ["turns", "yes", "x"], ["y"], body=body)
    weights = [weight("turns", np.int64(2**63 - 1)), weight("yes", np.bool_(True))]
    return serialized([loop], [value("x", [1])], [value("y", [1])], weights)


def enormous_allocation(numbers: int = LARGE) -> bytes:
    """Spreads its input over so many numbers of 4 bytes when it runs."""
    nodes = [
        helper.make_node("Expand", ["x", "shape"], ["large"]),
        helper.make_node("ReduceMax", ["large"], ["y"], keepdims=0),
    ]
    shape = weight("shape", np.array([numbers], np.int64))
    return serialized(nodes, [value("x", [1])], [value("y", [])], [shape])


def enormous_constant() -> bytes:
    """Makes a constant of 32 GiB, which a runtime may compute while it loads."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["large"]),
        helper.make_node("ReduceMax", ["large"], ["most"], keepdims=0),
        helper.make_node("Add", ["x", "most"], ["y"]),
    ]
    shape = weight("shape", np.array([LARGE], np.int64))
    return serialized(nodes, [value("x", [1])], [value("y", [1])], [shape])


def nested(depth: int) -> bytes:
    """An If in an If in an If, written by hand: libraries refuse to write it."""
    inner = _field(1, _field(2, b"y") + _field(4, b"Identity") + _field(1, b"x"))
    for _ in range(depth):
        branches = b"".join(
            _field(5, _field(1, name) + _field(6, inner) + b"\xa0\x01\x05")
            for name in (b"then_branch",)
        )
        inner = _field(1, _field(1, b"yes") + _field(2, b"y") + _field(4, b"If") + branches)
    return b"\x08\x08" + _field(7, inner) + _field(8, b"\x10\x11")


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    more = []
    while number >= 0x80:
        more.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*more, number))
