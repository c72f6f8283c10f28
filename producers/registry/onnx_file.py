"""Answers what an ONNX file takes, gives and needs: its signature, read in constant memory.

Source: onnx.proto3, messages ModelProto, GraphProto, ValueInfoProto, TypeProto, TensorShapeProto,
TensorProto and OperatorSetIdProto. Weights and nodes are passed over by seeking.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import BinaryIO

from modeltrail.producers.errors import NotOnnx
from modeltrail.producers.registry.onnx_types import tensor_of
from modeltrail.producers.registry.protobuf import BYTES, VARINT, Field, Malformed, MessageFile
from modeltrail.schemas.events import OpsetImport, Tensor

_IR_VERSION, _GRAPH, _OPSET_IMPORT = 1, 7, 8
_MODEL = {
    1: VARINT,  # ir_version
    2: BYTES,  # producer_name
    3: BYTES,  # producer_version
    4: BYTES,  # domain
    5: VARINT,  # model_version
    6: BYTES,  # doc_string
    7: BYTES,  # graph
    8: BYTES,  # opset_import
    14: BYTES,  # metadata_props
    20: BYTES,  # training_info
    25: BYTES,  # functions
    26: BYTES,  # configuration
}
_INITIALIZER, _INPUT, _OUTPUT, _SPARSE_INITIALIZER = 5, 11, 12, 15
_TENSOR_NAME, _SPARSE_VALUES = 8, 1
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2
#: Several times what the largest published models have.
_MOST_FIELDS = 1_000_000
#: Before IR version 4 all weights were listed among the inputs.
_MOST_LISTED = 20_000
_MOST_OPSETS = 100
_LONGEST_NAME = 1000
#: Of the whole signature: it travels in one Kafka message, beside metadata.
_MOST_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives, inputs first, and the operators that it needs."""

    tensors: tuple[Tensor, ...] = ()
    opsets: tuple[OpsetImport, ...] = ()


def read_signature(file: BinaryIO, size: int, name: str) -> Signature:
    """The signature of the model in a seekable file of `size` bytes.

    Inputs that have an initializer are weights or defaults, and left out, as ONNX Runtime does.

    Raises:
        NotOnnx: not protobuf, cut short, without what every ONNX model has, or with a signature
            beyond all measure.
    """
    if size == 0:
        raise NotOnnx(f"{name} is empty: export the model again")
    try:
        signature = _signature(MessageFile(file, _MOST_FIELDS), size)
    except Malformed as error:
        raise NotOnnx(
            f"{name} is not a whole ONNX model: export it as ONNX, or copy it again"
        ) from error
    if signature is None:
        raise NotOnnx(f"{name} has no ir_version or no graph: export it as ONNX")
    if _characters(signature) > _MOST_CHARACTERS:
        raise NotOnnx(
            f"the inputs and outputs of {name} take more than {_MOST_CHARACTERS:,} characters to "
            "name: export it with fewer, or with shorter names"
        )
    return signature


def _signature(model: MessageFile, size: int) -> Signature | None:
    graph: Field | None = None
    has_version = False
    opsets: list[OpsetImport] = []
    for field in model.fields(0, size):
        if _MODEL.get(field.number, field.wire_type) != field.wire_type:
            raise Malformed
        has_version |= field.number == _IR_VERSION
        if field.number == _GRAPH:
            if graph is not None:
                raise Malformed
            graph = field
        elif field.number == _OPSET_IMPORT:
            opsets.append(_opset(model, field))
            if len(opsets) > _MOST_OPSETS:
                raise Malformed
    if graph is None or not has_version:
        return None
    return Signature(_tensors(model, graph), tuple(opsets))


def _opset(model: MessageFile, message: Field) -> OpsetImport:
    domain, version = "", 0
    for field in model.inside(message):
        if field.number == _OPSET_DOMAIN:
            domain = model.text(field, _LONGEST_NAME)
        elif field.number == _OPSET_VERSION:
            version = min(field.value, 2**63 - 1)
    return OpsetImport(domain, version)


def _tensors(model: MessageFile, graph: Field) -> tuple[Tensor, ...]:
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    for field in model.inside(graph):
        if field.number in (_INPUT, _OUTPUT):
            if len(inputs) + len(outputs) >= _MOST_LISTED:
                raise Malformed
            is_input = field.number == _INPUT
            (inputs if is_input else outputs).append(tensor_of(model, field, is_input))
    weights = _weights(model, graph, {tensor.name for tensor in inputs})
    return (*(tensor for tensor in inputs if tensor.name not in weights), *outputs)


def _weights(model: MessageFile, graph: Field, names: Set[str]) -> Set[str]:
    """Those of `names` that have an initializer: a second walk, as there may be many others."""
    found: set[str] = set()
    if not names:
        return found
    for field in model.inside(graph):
        if field.number == _INITIALIZER:
            found |= _name_of(model, field) & names
        elif field.number == _SPARSE_INITIALIZER:
            for part in model.inside(field):
                if part.number == _SPARSE_VALUES:
                    found |= _name_of(model, part) & names
    return found


def _name_of(model: MessageFile, message: Field) -> Set[str]:
    name = ""
    for field in model.inside(message):
        if field.number == _TENSOR_NAME:
            name = model.text(field, _LONGEST_NAME)
    return {name}


def _characters(signature: Signature) -> int:
    return sum(
        len(tensor.name) + sum(len(dimension) + 1 for dimension in tensor.shape)
        for tensor in signature.tensors
    )
