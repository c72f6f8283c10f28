"""Reads one input or output of an ONNX graph: its name, element type and shape.

Source: onnx.proto3, messages ValueInfoProto, TypeProto, TensorShapeProto and enum
TensorProto.DataType.
"""

from modeltrail.producers.registry.protobuf import Field, Malformed, MessageFile
from modeltrail.schemas.events import Tensor

_DTYPES = (
    *("UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING"),
    *("BOOL", "FLOAT16", "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16"),
    *("FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4"),
    *("FLOAT4E2M1", "FLOAT8E8M0", "UINT2", "INT2", "FLOAT6E2M3", "FLOAT6E3M2"),
)
_VALUE_NAME, _VALUE_TYPE = 1, 2
_TENSOR_TYPE = 1
_ELEM_TYPE, _SHAPE = 1, 2
_DIM = 1
_DIM_VALUE, _DIM_PARAM = 1, 2
_LONGEST_NAME = 1000
_LONGEST_SYMBOL = 250
_MOST_DIMENSIONS = 100
#: What stands for a dimension of which nothing is said, and for a whole shape of that kind.
UNKNOWN_DIMENSION = "?"
UNKNOWN_SHAPE: tuple[str, ...] = ("...",)


def tensor_of(model: MessageFile, value_info: Field, is_input: bool) -> Tensor:
    """The tensor that a ValueInfoProto describes; sequences and maps have no element type.

    Raises:
        Malformed: no ValueInfoProto, or names and shapes beyond all measure.
    """
    name, dtype = "", ""
    shape: tuple[str, ...] = ()
    for field in model.inside(value_info):
        if field.number == _VALUE_NAME:
            name = model.text(field, _LONGEST_NAME)
        elif field.number == _VALUE_TYPE:
            for kind in model.inside(field):
                if kind.number == _TENSOR_TYPE:
                    dtype, shape = _tensor_type(model, kind)
    return Tensor(is_input, name, dtype, shape)


def _tensor_type(model: MessageFile, message: Field) -> tuple[str, tuple[str, ...]]:
    dtype = _DTYPES[0]
    shape = UNKNOWN_SHAPE
    for field in model.inside(message):
        if field.number == _ELEM_TYPE:
            known = field.value < len(_DTYPES)
            dtype = _DTYPES[field.value] if known else f"TYPE_{field.value}"
        elif field.number == _SHAPE:
            shape = tuple(
                _dimension(model, each) for each in model.inside(field) if each.number == _DIM
            )
            if len(shape) > _MOST_DIMENSIONS:
                raise Malformed
    return dtype, shape


def _dimension(model: MessageFile, message: Field) -> str:
    dimension = ""
    for field in model.inside(message):
        if field.number == _DIM_VALUE:
            dimension = str(field.value) if field.value < 2**63 else ""
        elif field.number == _DIM_PARAM:
            dimension = model.text(field, _LONGEST_SYMBOL)
    return dimension or UNKNOWN_DIMENSION
