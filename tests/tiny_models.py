"""Makes the smallest real ONNX models whose outputs tell which of them ran."""

from collections.abc import Sequence

from onnx import TensorProto, helper


def scaling_model(factor: float, shape: Sequence[int | str] = (2,)) -> bytes:
    """The bytes of a model y = factor x, floats of this shape."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    weight = helper.make_tensor("factor", TensorProto.FLOAT, [], [factor])
    node = helper.make_node("Mul", ["x", "factor"], ["y"])
    graph = helper.make_graph([node], "scaling", values[:1], values[1:], [weight])
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))
