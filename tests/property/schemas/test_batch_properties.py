"""The batch decoder gives, for any bytes whatever, what the record-by-record decoder gives."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.batch import DecodedBatch, decode_batch
from modeltrail.schemas.codec import Codec, decode_record, encode_datum, reader_schema
from modeltrail.schemas.container import read_container
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import Fact
from modeltrail.schemas.facts import FACTS
from modeltrail.schemas.polars_types import columns_of
from modeltrail.schemas.wire import HEADER_BYTES, frame_header, schema_id_of
from tests.decoded_alone import DECODED_ALONE

CODEC = Codec(MemorySchemaIds())
IDS = {kind: number for number, kind in enumerate(FACTS, start=1)}
for kind, number in IDS.items():
    assert CODEC.header_of(kind) == frame_header(number)

Values = Sequence[bytes | None]
FETCHED_WHOLE = [kind for kind in FACTS if kind not in DECODED_ALONE]
#: What tells a union's branch, a boolean or an enum's symbol, and what comes next to that.
FEW_BYTES = st.sampled_from([*range(8), 0x7F, 0x80, 0xFF])

ENCODED = st.from_type(Fact).map(CODEC.encode)


def alike(kind: type[Fact]) -> st.SearchStrategy[list[bytes]]:
    """Values of one kind: they share a container, where one could reach another."""
    return st.lists(st.from_type(kind).map(CODEC.encode), min_size=1, max_size=4)


GOOD_VALUES = st.lists(ENCODED, min_size=1, max_size=4) | st.sampled_from(FACTS).flatmap(alike)


@st.composite
def damaged(draw: st.DrawFn, values: st.SearchStrategy[bytes]) -> bytes:
    """A value mutated, truncated, padded, or with a piece of it taken out or doubled."""
    value = draw(values)
    start = draw(st.integers(HEADER_BYTES, len(value)))
    end = draw(st.integers(start, len(value)))
    piece = draw(st.binary(max_size=20) | st.just(value[start:end]) | st.just(value[HEADER_BYTES:]))
    return draw(
        st.sampled_from(
            [
                value[:start] + piece + value[start:],
                value[:start] + piece + value[end:],
                value[:start] + value[end:],
                value[:start],
                value + piece,
            ]
        )
    )


@st.composite
def with_one_byte_changed(draw: st.DrawFn) -> list[bytes]:
    """Values of one kind, in one of which one byte is another one: all keep their lengths."""
    values = draw(st.sampled_from(FACTS).flatmap(alike))
    place = draw(st.integers(0, len(values) - 1))
    value = bytearray(values[place])
    at = draw(st.integers(HEADER_BYTES, len(value) - 1))
    value[at] = draw(FEW_BYTES | st.integers(0, 255) | st.just(value[at] ^ 1))
    return [*values[:place], bytes(value), *values[place + 1 :]]


@st.composite
def replaced(draw: st.DrawFn) -> bytes:
    """The frame of one fact around any bytes, or around the datum of another."""
    header = frame_header(draw(st.integers(0, len(FACTS) + 1)))
    return header + draw(st.binary(max_size=100) | ENCODED.map(lambda value: value[HEADER_BYTES:]))


ANY_VALUE = st.none() | st.binary(max_size=30) | ENCODED | damaged(ENCODED) | replaced()


@st.composite
def good_and_bad(draw: st.DrawFn) -> tuple[list[bytes], int, bytes | None]:
    """Values, a place among them, and what comes in there."""
    good = draw(GOOD_VALUES)
    place = draw(st.integers(0, len(good)))
    return good, place, draw(damaged(st.sampled_from(good)) | ANY_VALUE)


def one_by_one(values: Values) -> tuple[dict[str, pl.DataFrame], list[int]]:
    """What the record-by-record decoder makes of each value, and the positions it refuses."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    refused = []
    for position, value in enumerate(values):
        try:
            writer = CODEC.writer_of(schema_id_of(value or b""))
            row = decode_record(writer, value or b"")
        except DecodeError:
            refused.append(position)
        else:
            rows[writer.record].append({**row, "position": position})
    return {record: frame_of(record, given) for record, given in rows.items()}, refused


def frame_of(record: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={**columns_of(reader_schema(record)), "position": pl.UInt32})


def filled(decoded: DecodedBatch) -> dict[str, pl.DataFrame]:
    return {record: frame for record, frame in decoded.frames.items() if frame.height}


def check_equals_one_by_one(values: Values) -> None:
    decoded = decode_batch(values, CODEC)
    expected, refused = one_by_one(values)
    assert [reject.position for reject in decoded.rejects] == refused
    assert filled(decoded).keys() == expected.keys()
    for record, frame in filled(decoded).items():
        assert frame.schema == expected[record].schema
        assert frame.equals(expected[record])


def check_neighbours_are_untouched(good: list[bytes], place: int, bad: bytes | None) -> None:
    alone = decode_batch(good, CODEC)
    among = decode_batch([*good[:place], bad, *good[place:]], CODEC)
    assert all(reject.position == place for reject in among.rejects)
    moved = pl.col("position") + (pl.col("position") >= place).cast(pl.UInt32)
    for record, frame in alone.frames.items():
        survivors = among.frames[record].filter(pl.col("position") != place)
        assert survivors.equals(frame.with_columns(moved))


@settings(max_examples=150, deadline=None)
@given(st.lists(ANY_VALUE, max_size=5))
def test_any_values_decode_as_they_do_one_by_one(values: Values) -> None:
    check_equals_one_by_one(values)


@settings(max_examples=300, deadline=None)
@given(with_one_byte_changed())
def test_values_with_one_byte_changed_decode_as_they_do_one_by_one(values: Values) -> None:
    check_equals_one_by_one(values)


@settings(max_examples=150, deadline=None)
@given(good_and_bad())
def test_one_bad_value_never_changes_another_row(given: tuple[list[bytes], int, Any]) -> None:
    check_neighbours_are_untouched(*given)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(FETCHED_WHOLE).flatmap(lambda kind: st.lists(st.from_type(kind), min_size=1))
)
def test_facts_that_are_right_are_always_read_as_a_container(facts: list[Fact]) -> None:
    writer = CODEC.writer_of(IDS[type(facts[0])])
    frame = read_container(writer, [encode_datum(fact) for fact in facts])
    assert frame is not None
    assert frame["event_id"].to_list() == [fact.event_id for fact in facts]


@pytest.mark.prove
@settings(max_examples=5_000, deadline=None)
@given(st.lists(ANY_VALUE, max_size=20))
def test_any_values_decode_as_they_do_one_by_one_at_length(values: Values) -> None:
    check_equals_one_by_one(values)


@pytest.mark.prove
@settings(max_examples=5_000, deadline=None)
@given(with_one_byte_changed())
def test_values_with_one_byte_changed_decode_as_they_do_one_by_one_at_length(
    values: Values,
) -> None:
    check_equals_one_by_one(values)


@pytest.mark.prove
@settings(max_examples=5_000, deadline=None)
@given(good_and_bad())
def test_one_bad_value_never_changes_another_row_at_length(
    given: tuple[list[bytes], int, Any],
) -> None:
    check_neighbours_are_untouched(*given)
