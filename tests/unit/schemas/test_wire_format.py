"""The frame in front of every datum is Confluent's wire format."""

import pytest

from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.wire import HEADER_BYTES, frame_header, schema_id_of


def test_header_is_a_zero_and_four_big_endian_bytes() -> None:
    assert frame_header(258) == b"\x00\x00\x00\x01\x02"
    assert len(frame_header(0)) == HEADER_BYTES


@pytest.mark.parametrize("schema_id", [0, 1, 258, 2**31 - 1, 2**31, 2**32 - 1])
def test_every_schema_id_comes_back(schema_id: int) -> None:
    assert schema_id_of(frame_header(schema_id) + b"datum") == schema_id


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x00\x00\x00\x01"])
def test_a_value_shorter_than_a_header_is_no_datum(value: bytes) -> None:
    with pytest.raises(DecodeError, match=f"{len(value)} bytes are no framed datum"):
        schema_id_of(value)


@pytest.mark.parametrize("first", [1, 123, 255])
def test_a_value_that_starts_otherwise_is_no_datum(first: int) -> None:
    with pytest.raises(DecodeError, match="not the Confluent wire format"):
        schema_id_of(bytes([first]) + b"\x00\x00\x00\x01datum")
