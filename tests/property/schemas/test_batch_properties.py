"""The batch decoder gives, for any bytes whatever, what the record-by-record decoder gives."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas import batch
from modeltrail.schemas.batch import DecodedBatch, decode_batch
from modeltrail.schemas.codec import Codec, decode_record, reader_schema
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import FACTS, Fact, ReferenceProfiled
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.polars_types import columns_of
from modeltrail.schemas.wire import HEADER_BYTES, frame_header, schema_id_of

CODEC = Codec(MemorySchemaIds())
for number, kind in enumerate(FACTS, start=1):
    assert CODEC.header_of(kind) == frame_header(number)
Values = Sequence[bytes | None]

ENCODED = st.from_type(Fact).map(CODEC.encode)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid value, mutated, truncated, padded, or with a piece of it taken out or doubled."""
    value = draw(ENCODED)
    start = draw(st.integers(HEADER_BYTES, len(value)))
    end = draw(st.integers(start, len(value)))
    piece = draw(st.binary(max_size=20) | st.just(value[start:end]) | ENCODED)
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
def replaced(draw: st.DrawFn) -> bytes:
    """The frame of one fact around any bytes, or around the datum of another."""
    header = frame_header(draw(st.integers(0, len(FACTS) + 1)))
    return header + draw(st.binary(max_size=100) | ENCODED.map(lambda value: value[HEADER_BYTES:]))


ANY_VALUE = st.none() | st.binary(max_size=30) | ENCODED | damaged() | replaced()


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
    place %= len(good) + 1
    alone = decode_batch(good, CODEC)
    among = decode_batch([*good[:place], bad, *good[place:]], CODEC)
    assert all(reject.position == place for reject in among.rejects)
    for record, frame in filled(alone).items():
        moved = pl.col("position") + (pl.col("position") >= place).cast(pl.UInt32)
        survivors = among.frames[record].filter(pl.col("position") != place)
        assert survivors.equals(frame.with_columns(moved))


SOME_VALUES = st.lists(ANY_VALUE, max_size=6)
GOOD_VALUES = st.lists(ENCODED, min_size=1, max_size=4)


@st.composite
def alike(draw: st.DrawFn) -> list[bytes]:
    """Values of one kind: they share a container, where one could reach another."""
    kind = draw(st.sampled_from(FACTS))
    return [CODEC.encode(fact) for fact in draw(st.lists(facts_of(kind), min_size=1, max_size=4))]


