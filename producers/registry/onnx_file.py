"""Answers whether a file has the outer shape of an ONNX model, in constant memory.

Source: onnx.proto3, message ModelProto: ir_version = 1 (int64), graph = 7 (message); and the
protobuf wire format, https://protobuf.dev/programming-guides/encoding/. Only the top-level fields
are walked: large ones are skipped by seeking.
"""

from typing import BinaryIO

from modeltrail.producers.errors import NotOnnx

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_IR_VERSION, _GRAPH = 1, 7
_WIRE_TYPES = {
    1: _VARINT,  # ir_version
    2: _BYTES,  # producer_name
    3: _BYTES,  # producer_version
    4: _BYTES,  # domain
    5: _VARINT,  # model_version
    6: _BYTES,  # doc_string
    7: _BYTES,  # graph
    8: _BYTES,  # opset_import
    14: _BYTES,  # metadata_props
    20: _BYTES,  # training_info
    25: _BYTES,  # functions
    26: _BYTES,  # configuration
}
_MOST_FIELDS = 100_000


def require_onnx(file: BinaryIO, size: int, name: str) -> None:
    """Walk the top-level fields of a seekable file of `size` bytes.

    Raises:
        NotOnnx: not protobuf, cut short, or without what every ONNX model has.
    """
    if size == 0:
        raise NotOnnx(f"{name} is empty: export the model again")
    seen: set[int] = set()
    fields = 0
    while file.tell() < size:
        fields += 1
        tag = _varint(file, name)
        field, wire_type = tag >> 3, tag & 7
        if _WIRE_TYPES.get(field, wire_type) != wire_type or field == 0 or fields > _MOST_FIELDS:
            raise _not_onnx(name)
        _skip(file, wire_type, name)
        if file.tell() > size:
            raise _not_onnx(name)
        seen.add(field)
    if not {_IR_VERSION, _GRAPH} <= seen:
        raise NotOnnx(f"{name} has no ir_version or no graph: export it as ONNX")


def _skip(file: BinaryIO, wire_type: int, name: str) -> None:
    if wire_type == _VARINT:
        _varint(file, name)
    elif wire_type == _FIXED64:
        file.seek(8, 1)
    elif wire_type == _BYTES:
        file.seek(_varint(file, name), 1)
    elif wire_type == _FIXED32:
        file.seek(4, 1)
    else:
        raise _not_onnx(name)


def _varint(file: BinaryIO, name: str) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            raise _not_onnx(name)
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            # Larger lengths cannot be real, and would not fit a seek.
            return min(value, 2**62)
    raise _not_onnx(name)


def _not_onnx(name: str) -> NotOnnx:
    return NotOnnx(f"{name} is not a whole ONNX model: export it as ONNX, or copy it again")
