"""Whatever a fact holds, its bytes give it back, unless its columns contradict each other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.column_fit import misfit
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import Fact
from modeltrail.schemas.ids import derived_event_id
from modeltrail.schemas.wire import frame_header

CODEC = Codec(MemorySchemaIds())
PARTS = st.lists(st.text(max_size=5) | st.binary(max_size=5) | st.integers(), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.from_type(Fact))
def test_a_fact_comes_back_from_its_bytes(fact: Fact) -> None:
    value = CODEC.encode(fact)
    if misfit(fact):
        with pytest.raises(DecodeError, match="do not fit"):
            CODEC.decode(value)
    else:
        assert CODEC.decode(value) == fact


@settings(max_examples=200, deadline=None)
@given(st.from_type(Fact), st.binary(max_size=200))
def test_any_bytes_are_a_fact_or_a_decode_error(fact: Fact, datum: bytes) -> None:
    header = CODEC.header_of(type(fact))
    try:
        read = CODEC.decode(header + datum)
    except DecodeError:
        return
    assert type(read) is type(fact)
    assert read.event_id == datum[:16]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.binary(max_size=20))
def test_a_datum_of_an_unknown_schema_is_a_decode_error(number: int, datum: bytes) -> None:
    codec = Codec(MemorySchemaIds())
    try:
        codec.decode(frame_header(number) + datum)
    except DecodeError:
        return
    raise AssertionError("decoded without a schema")


@settings(max_examples=200, deadline=None)
@given(PARTS, PARTS)
def test_derived_ids_are_equal_only_for_equal_parts(
    one: list[str | bytes | int], other: list[str | bytes | int]
) -> None:
    assert (derived_event_id(*one) == derived_event_id(*other)) == (one == other)
