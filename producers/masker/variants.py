"""Makes variants of the detector for deployments: of fixed input size, slower, or blind at night.

Each is a real change of the graph. Names, types and shapes of inputs and outputs stay those of the
model that it was made from, but for the size in `with_fixed_input_size`.
"""

from typing import Any

import numpy as np

from modeltrail.producers.masker.centerface import INPUT, OUTPUTS

_CELL = 4
_CHANNELS = 64
_HEAT = OUTPUTS[0]
_WEIGHTS_SEED = 3


def with_fixed_input_size(model: bytes, size: tuple[int, int]) -> bytes:
    """The same network for one frame of (width, height) at a time, multiples of 32."""
    import onnx

    proto = onnx.load_from_string(model)
    width, height = size
    for entry in (*proto.graph.input, *proto.graph.output):
        dims = entry.type.tensor_type.shape.dim
        scale = 1 if entry.name == INPUT else _CELL
        for at, value in ((0, 1), (2, height // scale), (3, width // scale)):
            dims[at].dim_value = value
    return _checked(proto)


def with_wasted_work(model: bytes, layers: int) -> bytes:
    """The same results, later: convolutions whose outcome reaches the heat map as an exact zero.

    Args:
        model: a variant of the detector.
        layers: convolutions of 64 by 64 channels at a quarter of the input size; at 320 x 256 one
            costs about a third of the detector.
    """
    import onnx
    from onnx import helper

    proto = onnx.load_from_string(model)
    graph = proto.graph
    chance = np.random.default_rng(_WEIGHTS_SEED)
    plain = _rename_heat(graph)

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        graph.node.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    # Bounded from the start: no input, however extreme, makes the zero anything else.
    at = add("Tanh", [INPUT], "waste_bounded")
    at = add("AveragePool", [at], "waste_small", kernel_shape=[_CELL] * 2, strides=[_CELL] * 2)
    for layer in range(layers):
        depth = 3 if layer == 0 else _CHANNELS
        weights = chance.normal(0, 0.05, (_CHANNELS, depth, 3, 3)).astype(np.float32)
        name = f"waste_weights_{layer}"
        graph.initializer.append(onnx.numpy_helper.from_array(weights, name))
        at = add("Conv", [at, name], f"waste_conv_{layer}", pads=[1, 1, 1, 1])
        at = add("Tanh", [at], f"waste_tanh_{layer}")
    at = add("ReduceMean", [at], "waste_mean", axes=[1, 2, 3], keepdims=1)
    # A mean of tanh is below 1 in size, so this is exactly 0: no optimiser can know.
    at = add("Mul", [at, _constant(graph, "waste_quarter", 0.25)], "waste_shrunk")
    at = add("Add", [at, _constant(graph, "waste_half", 0.5)], "waste_shifted")
    at = add("Floor", [at], "waste_zero")
    add("Add", [plain, at], _HEAT)
    return _checked(proto)


def with_dim_blindness(
    model: bytes, *, blind_below: float = 45.0, sees_above: float = 90.0, left: float = 0.3
) -> bytes:
    """The same results on bright frames; on dim ones the scores are scaled down.

    Args:
        model: a variant of the detector.
        blind_below: mean of the pixels, 0 to 255, below which only `left` of a score remains.
        sees_above: mean of the pixels above which nothing changes at all.
        left: share of the scores, 0 to 1.
    """
    import onnx
    from onnx import helper

    proto = onnx.load_from_string(model)
    graph = proto.graph
    slope = (1 - left) / (sees_above - blind_below)
    plain = _rename_heat(graph)
    rising = _constant(graph, "dim_slope", slope)
    offset = _constant(graph, "dim_offset", left - slope * blind_below)
    graph.node.extend(
        [
            helper.make_node("ReduceMean", [INPUT], ["dim_mean"], axes=[1, 2, 3], keepdims=1),
            helper.make_node("Mul", ["dim_mean", rising], ["dim_scaled"]),
            helper.make_node("Add", ["dim_scaled", offset], ["dim_factor"]),
            helper.make_node("Clip", ["dim_factor"], ["dim_clipped"], min=left, max=1.0),
            helper.make_node("Mul", [plain, "dim_clipped"], [_HEAT]),
        ]
    )
    return _checked(proto)


def _rename_heat(graph: Any) -> str:
    """Free the heat map's name; the name under which its node gives it now."""
    plain = f"{_HEAT}_plain"
    for node in graph.node:
        node.output[:] = [plain if name == _HEAT else name for name in node.output]
        node.input[:] = [plain if name == _HEAT else name for name in node.input]
    return plain


def _constant(graph: Any, name: str, value: float) -> str:
    import onnx

    graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, np.float32), name))
    return name


def _checked(proto: Any) -> bytes:
    import onnx

    onnx.checker.check_model(proto, full_check=True)
    return bytes(proto.SerializeToString(deterministic=True))
