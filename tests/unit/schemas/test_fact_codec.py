"""Facts become framed Avro and come back; what does not fit is refused with a typed error."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.catalog import newest_schema
from modeltrail.schemas.codec import Codec, encode_datum, kind_of
from modeltrail.schemas.errors import (
    DecodeError,
    InvalidFact,
    SchemaRegistryUnavailable,
    UnexpectedRecord,
    UnknownSchemaId,
)
from modeltrail.schemas.events import (
    DeadLetter,
    Fact,
    InferenceMeasured,
    MetricsLogged,
    ModelRegistrationRequested,
    ModelTagSet,
    ReferenceProfiled,
    RunEnded,
    RunStarted,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.facts import FACTS
from modeltrail.schemas.wire import frame_header

RUN_ENDED = example_fact(RunEnded)


class CountedSchemaIds(MemorySchemaIds):
    """Counts the questions that reach it, answered or not."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def id_of(self, subject: str, schema: str) -> int:
        self.asked[subject] += 1
        return super().id_of(subject, schema)

    def schema_of(self, schema_id: int) -> str:
        self.asked[str(schema_id)] += 1
        return super().schema_of(schema_id)


def test_the_registry_is_asked_once_for_each_id_and_each_schema() -> None:
    ids = CountedSchemaIds()
    codec = Codec(ids)
    values = [codec.encode(RUN_ENDED) for _ in range(3)]
    for value in values:
        assert codec.decode(value) == RUN_ENDED
    assert ids.asked == {RunEnded.record: 1, "1": 1}


def test_facts_are_registered_under_their_record_with_the_released_text() -> None:
    ids = CountedSchemaIds()
    Codec(ids).header_of(RunEnded)
    assert ids.schema_of(1) == newest_schema(RunEnded.record).text


def test_a_registry_that_is_away_is_reported_and_asked_again_next_time() -> None:
    ids = CountedSchemaIds()
    writer, reader = Codec(ids), Codec(ids)
    ids.away = True
    with pytest.raises(SchemaRegistryUnavailable):
        writer.encode(RUN_ENDED)
    ids.away = False
    value = writer.encode(RUN_ENDED)
    ids.away = True
    with pytest.raises(SchemaRegistryUnavailable):
        reader.decode(value)
    ids.away = False
    assert reader.decode(value) == RUN_ENDED


def test_what_is_known_already_needs_no_registry() -> None:
    ids = CountedSchemaIds()
    codec = Codec(ids)
    value = codec.encode(RUN_ENDED)
    codec.decode(value)
    ids.away = True
    assert codec.decode(codec.encode(RUN_ENDED)) == RUN_ENDED


def test_an_id_that_the_registry_does_not_know_is_no_fact() -> None:
    with pytest.raises(UnknownSchemaId):
        Codec(MemorySchemaIds()).decode(frame_header(77) + b"datum")


FOREIGN_SCHEMAS = {
    "another record": '{"type": "record", "name": "Order", "namespace": "shop", "fields": []}',
    "no namespace": '{"type": "record", "name": "RunEnded", "fields": []}',
    "a primitive": '"string"',
    "an enum": '{"type": "enum", "name": "E", "symbols": ["A"]}',
    "a union": '["null", "string"]',
    "no Avro": '{"type": "object", "properties": {}}',
    "no JSON": 'syntax = "proto3"; message Order {}',
    "an open reference": '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "X"}]}',
}


@pytest.mark.parametrize("schema", FOREIGN_SCHEMAS.values(), ids=FOREIGN_SCHEMAS)
def test_a_schema_that_is_not_ours_is_an_unexpected_record(schema: str) -> None:
    ids = MemorySchemaIds()
    number = ids.id_of("foreign", schema)
    with pytest.raises(UnexpectedRecord):
        Codec(ids).decode(frame_header(number) + b"datum")


def test_our_record_with_a_shape_that_does_not_resolve_is_no_fact() -> None:
    schema = json.loads(newest_schema(RunEnded.record).text)
    schema["fields"] = schema["fields"][:2]
    ids = MemorySchemaIds()
    number = ids.id_of(RunEnded.record, json.dumps(schema))
    with pytest.raises(DecodeError):
        Codec(ids).decode(frame_header(number) + bytes(17))


@pytest.mark.parametrize("stray", [b"\x00", b"stray bytes", encode_datum(RUN_ENDED)])
def test_bytes_after_the_datum_are_refused(stray: bytes) -> None:
    codec = Codec(MemorySchemaIds())
    with pytest.raises(DecodeError, match=f"{len(stray)} bytes left over"):
        codec.decode(codec.encode(RUN_ENDED) + stray)


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.record)
def test_a_datum_cut_anywhere_is_refused(kind: type[Fact]) -> None:
    codec = Codec(MemorySchemaIds())
    value = codec.encode(example_fact(kind))
    for end in range(len(value)):
        with pytest.raises(DecodeError):
            codec.decode(value[:end])


def test_a_record_that_is_not_ours_has_no_typed_event() -> None:
    with pytest.raises(UnexpectedRecord, match=r"shop\.Order"):
        kind_of("shop.Order")


MEASURED = example_fact(InferenceMeasured)
LOGGED = example_fact(MetricsLogged)
REQUESTED = example_fact(ModelRegistrationRequested)
PROFILED = example_fact(ReferenceProfiled)
LETTER = example_fact(DeadLetter)

MISFITS: dict[str, tuple[Fact, dict[str, Any]]] = {
    "null for a string": (MEASURED, {"node_id": None}),
    "a number for a string": (MEASURED, {"node_id": 7}),
    "bytes for a string": (MEASURED, {"node_id": b"gate-1"}),
    "half a surrogate pair": (MEASURED, {"node_id": "\ud800"}),
    "half a surrogate pair, optional": (example_fact(ModelTagSet), {"value": "\ud800"}),
    "an integer of 65 bits": (MEASURED, {"frame": 2**63}),
    "a negative integer of 65 bits": (MEASURED, {"frame": -(2**63) - 1}),
    "an integer of 65 bits, optional": (MEASURED, {"faces": 2**64}),
    "a fraction for an integer": (MEASURED, {"frame": 1.5}),
    "a fraction for an integer, optional": (MEASURED, {"faces": 1.5}),
    "NaN for an integer": (MEASURED, {"frame": float("nan")}),
    "a string for an integer": (MEASURED, {"frame": "1"}),
    "null for a number": (MEASURED, {"sampling_rate": None}),
    "a string for a number": (MEASURED, {"fps": "fast"}),
    "an integer beyond doubles": (MEASURED, {"sampling_rate": 10**400}),
    "an integer of 33 bits for 32": (LETTER, {"partition": 2**31}),
    "a string for bytes": (LETTER, {"value": "text"}),
    "an event_id that is too short": (RUN_ENDED, {"event_id": b"short"}),
    "an event_id that is too long": (RUN_ENDED, {"event_id": bytes(17)}),
    "an event_id in hex": (RUN_ENDED, {"event_id": "0" * 16}),
    "no event_id": (RUN_ENDED, {"event_id": None}),
    "a string for an array": (LOGGED, {"names": "loss"}),
    "a mapping for an array": (LOGGED, {"names": {"loss": 1.0}}),
    "null for an array": (LOGGED, {"names": None}),
    "null in an array": (LOGGED, {"names": ("loss", None)}),
    "a string in an array of numbers": (LOGGED, {"values": ("1.0",)}),
    "no symbol of the enum": (REQUESTED, {"bump": "HUGE"}),
    "null for an enum": (REQUESTED, {"bump": None}),
    "null for a nested record": (PROFILED, {"features": (None,)}),
    "a fraction in a nested array": (
        PROFILED,
        {"features": (replace(PROFILED.features[0], counts=(1.5,)),)},  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize(("fact", "change"), MISFITS.values(), ids=MISFITS)
def test_a_value_that_does_not_fit_is_an_invalid_fact(fact: Fact, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidFact, match=f"{type(fact).__name__} does not fit its schema"):
        encode_datum(replace(fact, **change))


@pytest.mark.parametrize(
    ("fact", "change"),
    [
        (MEASURED, {"frame": 2**63 - 1}),
        (MEASURED, {"frame": -(2**63)}),
        (MEASURED, {"fps": float("inf"), "faces": None}),
        (LETTER, {"partition": 2**31 - 1, "key": None, "value": b""}),
        (LOGGED, {"names": (), "values": ()}),
        (example_fact(RunStarted), {"started_by": "🙂\x00\u2028", "config_json": "x" * 2_000_000}),
    ],
)
def test_values_at_the_limits_come_back(fact: Fact, change: dict[str, Any]) -> None:
    codec = Codec(MemorySchemaIds())
    extreme = replace(fact, **change)
    assert codec.decode(codec.encode(extreme)) == extreme


def test_a_partition_beyond_32_bits_in_the_bytes_is_refused() -> None:
    """Fastavro would hand out the long that hostile bytes hold."""
    codec = Codec(MemorySchemaIds())
    honest = codec.encode(replace(LETTER, topic="t", partition=1))
    marker = b"\x02" + b"t" + LETTER.topic_id + b"\x02"
    at = honest.index(marker) + len(marker) - 1
    hostile = honest[:at] + b"\x80\x80\x80\x80\x80\x02" + honest[at + 1 :]
    with pytest.raises(DecodeError, match=r"partition .* 32 bits"):
        codec.decode(hostile)


def test_an_invalid_fact_is_a_value_error_to_the_caller() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_datum(replace(RUN_ENDED, run_id=None))  # type: ignore[arg-type]
