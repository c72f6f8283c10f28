"""Answers how a datum is framed on Kafka: the Confluent wire format.

Source: Confluent's "Wire format" page: one zero byte, the schema id as four big-endian bytes,
the Avro binary datum.
"""

import struct

from modeltrail.schemas.errors import DecodeError

HEADER_BYTES = 5
_HEADER = struct.Struct(">bI")


def frame_header(schema_id: int) -> bytes:
    """The five bytes in front of every datum of `schema_id`."""
    return _HEADER.pack(0, schema_id)


def schema_id_of(value: bytes) -> int:
    """The schema id that `value` is framed with.

    Raises:
        DecodeError: shorter than a header, or not starting with a zero byte.
    """
    if len(value) < HEADER_BYTES:
        raise DecodeError(f"{len(value)} bytes are no framed datum: at least {HEADER_BYTES} needed")
    magic, schema_id = _HEADER.unpack_from(value)
    if magic != 0:
        raise DecodeError(f"first byte is {magic}, not 0: not the Confluent wire format")
    return int(schema_id)
