"""Whatever bytes a file has, reading its signature ends with a signature or a refusal."""

import contextlib
import io

import onnx
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from modeltrail.producers.errors import NotOnnx
from modeltrail.producers.registry.onnx_file import read_signature


def model_bytes() -> bytes:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, None])
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [2], [1.0, 2.0])
    output = helper.make_tensor_value_info("score", TensorProto.INT64, [1])
    graph = helper.make_graph([], "graph", [image], [output], initializer=[weight])
    content: bytes = helper.make_model(graph).SerializeToString()
    return content


MODEL = model_bytes()
DIMENSIONS = st.lists(st.none() | st.integers(0, 2**40) | st.text("abc", min_size=1), max_size=5)
NAMES = st.text(min_size=1, max_size=40)


@given(st.lists(st.tuples(st.integers(0, len(MODEL) - 1), st.integers(0, 255)), max_size=6))
def test_a_broken_model_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    broken = bytearray(MODEL)
    for at, byte in changes:
        broken[at] = byte
    with contextlib.suppress(NotOnnx):
        signature = read_signature(io.BytesIO(broken), len(broken), "broken.onnx")
        assert len(signature.tensors) <= len(broken)


@given(st.integers(0, len(MODEL) - 1))
def test_a_model_that_is_cut_short_is_never_taken_for_another(length: int) -> None:
    with contextlib.suppress(NotOnnx):
        signature = read_signature(io.BytesIO(MODEL[:length]), length, "short.onnx")
        # What is left out at the end of the file are whole fields behind the graph.
        assert [tensor.name for tensor in signature.tensors] == ["image", "score"]


@given(st.lists(st.tuples(NAMES, st.sampled_from((1, 6, 7, 10, 16)), DIMENSIONS), max_size=6))
def test_names_types_and_shapes_are_those_that_onnx_wrote(
    inputs: list[tuple[str, int, list[int | str | None]]],
) -> None:
    values = [helper.make_tensor_value_info(*each) for each in inputs]
    model = helper.make_model(helper.make_graph([], "graph", values, []))
    content = model.SerializeToString()

    signature = read_signature(io.BytesIO(content), len(content), "made.onnx")

    assert [(each.name, each.dtype, each.shape) for each in signature.tensors] == [
        (
            name,
            TensorProto.DataType.Name(kind),
            tuple("?" if dimension is None else str(dimension) for dimension in shape),
        )
        for name, kind, shape in inputs
    ]
    assert {each.domain: each.version for each in signature.opsets} == {
        each.domain: each.version for each in onnx.load_from_string(content).opset_import
    }
