"""Whatever closed windows hold, many at once have the bytes that fastavro gives each."""

import io
from dataclasses import replace
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.codec import Codec, reader_schema
from modeltrail.schemas.columns import Longs, doubles, longs
from modeltrail.schemas.conversion import record_from_fact
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import MetricWindow, WindowClosed, WindowsDecided
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version
from modeltrail.schemas.window_data import window_data

EXAMPLE = example_fact(WindowClosed)
METRIC = EXAMPLE.metrics[0]
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-70, 70)
TEXTS = st.text(max_size=70)
COLUMN: st.SearchStrategy[Longs] = st.lists(NUMBERS, max_size=30).map(longs)
METRICS = st.builds(
    MetricWindow,
    TEXTS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.floats(),
    st.floats(),
    st.floats(),
    st.floats(),
    st.floats(),
    st.floats(),
    COLUMN,
    COLUMN,
)
WINDOWS = st.builds(
    WindowClosed,
    st.binary(min_size=16, max_size=16).map(EventId),
    TEXTS.map(ModelId),
    TEXTS.map(Version),
    TEXTS,
    TEXTS,
    TEXTS,
    NUMBERS.map(Micros),
    NUMBERS.map(Micros),
    st.booleans(),
    NUMBERS,
    st.lists(METRICS, max_size=4).map(tuple),
)


def by_fastavro(fact: WindowClosed) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, reader_schema(fact.record), record_from_fact(fact))
    return out.getvalue()


@settings(deadline=None)
@given(st.lists(WINDOWS, max_size=5))
def test_their_bytes_are_those_of_fastavro(windows: list[WindowClosed]) -> None:
    assert window_data(windows) == [by_fastavro(window) for window in windows]


@settings(deadline=None)
@given(st.lists(WINDOWS, max_size=3))
def test_many_are_encoded_as_each_is_by_itself(windows: list[WindowClosed]) -> None:
    codec = Codec(MemorySchemaIds())
    assert codec.encode_all(windows) == [codec.encode(window) for window in windows]


def with_metric(**changes: Any) -> WindowClosed:
    return replace(EXAMPLE, metrics=(METRIC, replace(METRIC, **changes)))


@pytest.mark.parametrize(
    "misfit",
    [
        pytest.param(with_metric(count=1.5), id="a fraction for an integer"),
        pytest.param(with_metric(sum_whole=2**63), id="an integer of more than 64 bits"),
        pytest.param(with_metric(mean="much"), id="a text for a double"),
        pytest.param(with_metric(name=7), id="a number for a text"),
        pytest.param(with_metric(bins=(1, 2)), id="a tuple for a column"),
        pytest.param(with_metric(counts=doubles([1.0])), id="doubles for integers"),
        pytest.param(replace(EXAMPLE, event_id=EventId(b"short")), id="an id that is too short"),
        pytest.param(replace(EXAMPLE, measurements=2**63), id="a count of more than 64 bits"),
    ],
)
def test_a_window_that_does_not_fit_its_schema_is_refused(misfit: WindowClosed) -> None:
    with pytest.raises(InvalidFact, match="WindowClosed does not fit its schema"):
        Codec(MemorySchemaIds()).encode_all([EXAMPLE, misfit])


def test_facts_of_several_kinds_are_encoded_each_as_what_it_is() -> None:
    codec = Codec(MemorySchemaIds())
    facts = [EXAMPLE, example_fact(WindowsDecided), EXAMPLE]
    assert [codec.decode(value) for value in codec.encode_all(facts)] == facts
