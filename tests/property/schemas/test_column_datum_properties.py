"""Whatever a fact of columns holds, by hand it has the bytes that fastavro gives it, and back."""

import io
from array import array
from dataclasses import fields, replace
from typing import Any, get_type_hints

import fastavro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.schemas.avro_longs import decoded_longs, encoded_longs
from modeltrail.schemas.avro_scalars import avro_long
from modeltrail.schemas.codec import reader_schema
from modeltrail.schemas.column_datum import column_datum, read_columns
from modeltrail.schemas.columns import Doubles, Longs, doubles, longs
from modeltrail.schemas.conversion import fact_from_record, record_from_fact
from modeltrail.schemas.events import OfManySeries, RecentMeasurements
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.facts import FACTS
from modeltrail.schemas.ids import EventId, Micros

LONGS = st.integers(-(2**62), 2**62 - 1) | st.integers(-70, 70)
# Times and offsets follow each other: all of them take as many bytes.
RISING = st.builds(
    lambda first, gaps: [first + sum(gaps[:place]) for place in range(len(gaps))],
    st.integers(0, 2**50),
    st.lists(st.integers(0, 1000), max_size=100),
)
COLUMNS: dict[object, st.SearchStrategy[object]] = {
    bool: st.booleans(),
    int: LONGS,
    Micros: LONGS,
    EventId: st.binary(min_size=16, max_size=16),
    tuple[str, ...]: st.lists(st.text(max_size=70), max_size=5).map(tuple),
    Longs: (st.lists(LONGS, max_size=300) | RISING).map(longs),
    Doubles: st.lists(st.floats(), max_size=300).map(doubles),
}
KINDS = [kind for kind in FACTS if issubclass(kind, OfManySeries)]


@st.composite
def facts(draw: st.DrawFn) -> OfManySeries:
    """Facts in which any column may be a long one; numbers leave the greatest ones out."""
    kind: type[OfManySeries] = draw(st.sampled_from(KINDS))
    fact = example_fact(kind)
    columns = {
        name: COLUMNS[hint] for name, hint in get_type_hints(kind).items() if hint in COLUMNS
    }
    names = draw(st.lists(st.sampled_from(sorted(columns)), max_size=6))
    drawn: dict[str, Any] = {name: draw(columns[name]) for name in names}
    return replace(fact, **drawn)


def by_fastavro(fact: OfManySeries) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, reader_schema(fact.record), record_from_fact(fact))
    return out.getvalue()


def bits(fact: OfManySeries) -> list[object]:
    """All that it holds; NaNs are equal here."""
    values = (getattr(fact, field.name) for field in fields(fact))
    return [value.tobytes() if isinstance(value, array) else value for value in values]


@settings(deadline=None)
@given(facts())
def test_its_bytes_are_those_of_fastavro(fact: OfManySeries) -> None:
    assert column_datum(fact) == by_fastavro(fact)


@settings(deadline=None)
@given(facts())
def test_the_bytes_of_fastavro_give_it_back(fact: OfManySeries) -> None:
    read = read_columns(type(fact), by_fastavro(fact))
    assert read is not None
    assert bits(read) == bits(fact)


@settings(deadline=None)
@given(facts(), st.data())
def test_a_changed_datum_is_read_as_fastavro_reads_it_or_left_to_it(
    fact: OfManySeries, data: st.DataObject
) -> None:
    datum = bytearray(column_datum(fact))
    datum[data.draw(st.integers(0, len(datum) - 1))] = data.draw(st.integers(0, 255))
    datum = datum[: data.draw(st.integers(0, len(datum)))] + data.draw(st.binary(max_size=3))
    if (read := read_columns(type(fact), bytes(datum))) is not None:
        stream = io.BytesIO(bytes(datum))
        schema = reader_schema(fact.record)
        record: Any = fastavro.schemaless_reader(stream, schema, schema)
        assert stream.tell() == len(datum)
        assert bits(read) == bits(fact_from_record(type(fact), record))


def test_blocks_with_their_size_are_left_to_the_full_reader() -> None:
    fact = replace(example_fact(RecentMeasurements), metrics=longs([1]), values=doubles([]))
    plain = column_datum(fact)
    one_block_with_size = b"\x01\x02\x02\x00" + b"\x00"
    assert plain.endswith(b"\x02\x02\x00" + b"\x00")
    assert read_columns(RecentMeasurements, plain[:-4] + one_block_with_size) is None


@settings(deadline=None)
@given(st.lists(LONGS, min_size=1, max_size=100) | RISING.filter(len), st.binary(max_size=12))
def test_longs_come_back_and_say_where_they_end(values: list[int], behind: bytes) -> None:
    encoded = encoded_longs(np.array(values))
    found = decoded_longs(b"before" + encoded + behind, len(b"before"), len(values))
    assert found is not None
    assert (found[0].tolist(), found[1]) == (values, len(b"before") + len(encoded))


@given(st.sampled_from([2**63 - 1, -(2**63)]))
def test_the_greatest_longs_are_written_and_left_to_the_full_reader(value: int) -> None:
    encoded = encoded_longs(np.array([value, 0]))
    assert encoded == b"\xff" * 9 + b"\x01\x00" or encoded == b"\xfe" + b"\xff" * 8 + b"\x01\x00"
    assert decoded_longs(encoded, 0, 2) is None


@given(LONGS | st.sampled_from([2**63 - 1, -(2**63)]))
def test_one_long_is_written_like_many(value: int) -> None:
    assert avro_long(value) == encoded_longs(np.array([value]))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_what_does_not_fit_a_long_is_refused(value: int) -> None:
    with pytest.raises(OverflowError):
        avro_long(value)
