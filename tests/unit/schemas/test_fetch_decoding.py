"""A fetch of framed datums becomes columns, and what is no fact is set apart with its position."""

import json
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas import batch
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.catalog import newest_schema
from modeltrail.schemas.codec import Codec, Writer, decode_record
from modeltrail.schemas.conversion import fact_from_record
from modeltrail.schemas.errors import (
    DecodeError,
    SchemaRegistryUnavailable,
    UnexpectedRecord,
    UnknownSchemaId,
)
from modeltrail.schemas.events import (
    DeadLetter,
    Fact,
    InferenceMeasured,
    ModelTagSet,
    RunHeartbeat,
    RunStarted,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import EventId, Micros, RunId, derived_event_id
from modeltrail.schemas.wire import HEADER_BYTES, frame_header


def heartbeats(count: int) -> list[RunHeartbeat]:
    beat = example_fact(RunHeartbeat)
    return [
        replace(beat, event_id=derived_event_id("beat", number), run_id=RunId(f"run-{number}"))
        for number in range(count)
    ]


def runs_by_position(frame: pl.DataFrame) -> dict[int, str]:
    return dict(zip(frame["position"], frame["run_id"], strict=True))


@pytest.fixture
def codec() -> Codec:
    return Codec(MemorySchemaIds())


def test_an_empty_fetch_holds_nothing(codec: Codec) -> None:
    decoded = decode_batch([], codec)
    assert decoded.frames == {}
    assert decoded.rejects == ()


def test_records_of_several_kinds_keep_their_positions(codec: Codec) -> None:
    measured = example_fact(InferenceMeasured)
    first, second = heartbeats(2)
    decoded = decode_batch([codec.encode(fact) for fact in (first, measured, second)], codec)
    assert runs_by_position(decoded.frames[RunHeartbeat.record]) == {0: "run-0", 2: "run-1"}
    (row,) = decoded.frames[InferenceMeasured.record].to_dicts()
    assert row["position"] == 1
    assert fact_from_record(InferenceMeasured, row) == measured


def test_columns_are_those_of_the_newest_schema_with_integer_times(codec: Codec) -> None:
    frame = decode_batch([codec.encode(heartbeats(1)[0])], codec).frames[RunHeartbeat.record]
    assert frame.schema == {
        "event_id": pl.Binary,
        "occurred_at": pl.Int64,
        "run_id": pl.String,
        "position": pl.UInt32,
    }


def test_both_ways_of_decoding_give_the_same_columns(codec: Codec) -> None:
    for fact in (example_fact(InferenceMeasured), example_fact(DeadLetter)):
        value = codec.encode(fact)
        whole = decode_batch([value], codec).frames[fact.record]
        one_by_one = decode_batch([value, value + b"stray"], codec).frames[fact.record]
        assert whole.equals(one_by_one)
        assert whole.schema == one_by_one.schema


def test_good_fetches_never_take_the_slow_way(
    codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "decode_record", None)
    decoded = decode_batch([codec.encode(beat) for beat in heartbeats(500)], codec)
    assert decoded.frames[RunHeartbeat.record].height == 500


@pytest.mark.parametrize("places", [[0], [999], [499, 500], [3, 400, 401, 998]], ids=str)
def test_a_few_bad_datums_do_not_slow_the_others_down(
    places: list[int], codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time = []

    def counted(writer: Writer, value: bytes) -> dict[str, Any]:
        one_at_a_time.append(value)
        return decode_record(writer, value)

    monkeypatch.setattr(batch, "decode_record", counted)
    values = [codec.encode(beat) for beat in heartbeats(1000)]
    for place in places:
        values[place] += b"stray"

    decoded = decode_batch(values, codec)

    assert [reject.position for reject in decoded.rejects] == places
    expected = {number: f"run-{number}" for number in range(1000) if number not in places}
    assert runs_by_position(decoded.frames[RunHeartbeat.record]) == expected
    assert len(one_at_a_time) <= 32 * len(places)


BAD = {
    "tombstone": (None, DecodeError),
    "nothing": (b"", DecodeError),
    "less than a header": (b"\x00\x00\x00", DecodeError),
    "another format": (b'{"run_id": 1}', DecodeError),
    "unknown schema id": (frame_header(4_000_000_000) + b"datum", UnknownSchemaId),
    "foreign record": (frame_header(2) + b"datum", UnexpectedRecord),
    "header only": (frame_header(1), DecodeError),
    "cut datum": (frame_header(1) + bytes(20), DecodeError),
    "invalid UTF-8": (frame_header(1) + bytes(16) + b"\x02\x04\xff\xfe", DecodeError),
}


@pytest.mark.parametrize(("value", "error"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_no_fact_is_set_apart_wherever_it_lies(
    value: bytes | None, error: type[DecodeError], place: int
) -> None:
    ids = MemorySchemaIds()
    codec = Codec(ids)
    values: list[bytes | None] = [codec.encode(beat) for beat in heartbeats(2)]
    foreign = '{"type": "record", "name": "Order", "namespace": "shop", "fields": []}'
    assert ids.id_of("shop.Order", foreign) == 2

    values.insert(place, value)
    decoded = decode_batch(values, codec)

    (reject,) = decoded.rejects
    assert reject.position == place
    assert type(reject.error) is error
    rest = [position for position in range(3) if position != place]
    assert runs_by_position(decoded.frames[RunHeartbeat.record]) == dict(
        zip(rest, ("run-0", "run-1"), strict=True)
    )


def test_rejects_come_in_the_order_of_the_fetch(codec: Codec) -> None:
    good = codec.encode(heartbeats(1)[0])
    decoded = decode_batch([b"x", good + b"y", None, good, frame_header(9)], codec)
    assert [reject.position for reject in decoded.rejects] == [0, 1, 2, 4]


def test_nothing_is_decoded_while_a_schema_cannot_be_asked_for() -> None:
    ids = MemorySchemaIds()
    value = Codec(ids).encode(heartbeats(1)[0])
    ids.away = True
    with pytest.raises(SchemaRegistryUnavailable):
        decode_batch([value], Codec(ids))


def test_one_record_under_two_schema_ids_is_one_frame_in_order() -> None:
    ids = MemorySchemaIds()
    codec = Codec(ids)
    values = [codec.encode(beat) for beat in heartbeats(4)]
    text = newest_schema(RunHeartbeat.record).text
    again = ids.id_of(RunHeartbeat.record, json.dumps(json.loads(text)))
    for position in (0, 2):
        values[position] = frame_header(again) + values[position][HEADER_BYTES:]
    frame = decode_batch(values, codec).frames[RunHeartbeat.record]
    assert runs_by_position(frame) == {number: f"run-{number}" for number in range(4)}


def test_the_same_datum_twice_is_two_rows(codec: Codec) -> None:
    value = codec.encode(heartbeats(1)[0])
    frame = decode_batch([value, value], codec).frames[RunHeartbeat.record]
    assert runs_by_position(frame) == {0: "run-0", 1: "run-0"}


def test_a_datum_written_twice_into_one_value_is_refused(codec: Codec) -> None:
    value = codec.encode(heartbeats(1)[0])
    doubled = value + value[HEADER_BYTES:]
    for values in ([doubled], [doubled, value], [value, doubled], [doubled, value[:HEADER_BYTES]]):
        decoded = decode_batch(values, codec)
        bad = [position for position, given in enumerate(values) if given != value]
        assert [reject.position for reject in decoded.rejects] == bad


def test_a_datum_made_to_swallow_its_neighbour_does_not(codec: Codec) -> None:
    """Its tail poses as the neighbour's record, with a string long enough to hide the real one."""
    attacker, victim = heartbeats(2)
    # All of it is text, and so may hide in a string.
    victim = replace(victim, event_id=EventId(b"0123456789abcdef"), occurred_at=Micros(7))
    honest = codec.encode(victim)
    length = len(honest) - HEADER_BYTES
    posing = victim.event_id + b"\x00" + bytes([2 * length])
    hostile = codec.encode(attacker) + posing

    decoded = decode_batch([hostile, honest], codec)

    assert [reject.position for reject in decoded.rejects] == [0]
    assert runs_by_position(decoded.frames[RunHeartbeat.record]) == {1: "run-1"}


def test_a_longer_spelling_of_the_same_numbers_is_the_same_fact(codec: Codec) -> None:
    beat = heartbeats(1)[0]
    value = codec.encode(beat)
    at = value.rindex(b"\x0a" + beat.run_id.encode())
    padded = value[:at] + b"\x8a\x00" + value[at + 1 :]
    frame = decode_batch([padded, value], codec).frames[RunHeartbeat.record]
    assert runs_by_position(frame) == {0: "run-0", 1: "run-0"}


@pytest.mark.parametrize("kind", [ModelTagSet, RunStarted, DeadLetter, InferenceMeasured])
def test_a_datum_cut_anywhere_leaves_its_neighbours_alone(kind: type[Fact]) -> None:
    codec = Codec(MemorySchemaIds())
    first, cut, last = (
        codec.encode(replace(example_fact(kind), event_id=derived_event_id(number)))
        for number in range(3)
    )
    expected = decode_batch([first, last], codec).frames[kind.record].drop("position")
    for end in range(HEADER_BYTES, len(cut)):
        decoded = decode_batch([first, cut[:end], last], codec)
        assert [reject.position for reject in decoded.rejects] == [1]
        assert decoded.frames[kind.record].drop("position").equals(expected)
