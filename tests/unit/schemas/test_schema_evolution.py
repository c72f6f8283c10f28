"""Facts written with one version of a schema are read with another, the same by both decoders."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import fastavro
import polars as pl
import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas import batch, codec, container
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.catalog import SchemaFile, newest_schema, without_logical_types
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.conversion import record_from_fact
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import ReferenceProfiled, RunEnded
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.wire import frame_header

Schema = dict[str, Any]
Row = dict[str, Any]
Read = Callable[[Schema, list[Row], Schema], list[Row]]

ENDED: Schema = json.loads(newest_schema(RunEnded.record).text)
ROW: Row = {
    "event_id": bytes(range(16)),
    "occurred_at": 7,
    "run_id": "run",
    "status": "FAILED",
    "detail": "why",
}


def field(name: str, kind: Any, **more: Any) -> Schema:
    return {"name": name, "type": kind, **more}


def ended_with(*fields: Schema, without: tuple[str, ...] = ()) -> Schema:
    """RunEnded with fields added, or put in the place of those of the same name."""
    new = {added["name"]: added for added in fields}
    kept = [new.pop(old["name"], old) for old in ENDED["fields"] if old["name"] not in without]
    return {**ENDED, "fields": [*kept, *new.values()]}


def status(*symbols: str) -> Schema:
    kind = {"type": "enum", "name": "RunStatus", "symbols": list(symbols), "default": "UNKNOWN"}
    return field("status", kind)


@pytest.fixture(params=["batch", "record"])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """Writes rows with one schema and reads them with another, by one of the two decoders."""

    def read(writer: Schema, rows: list[Row], reader: Schema) -> list[Row]:
        record = f"{reader['namespace']}.{reader['name']}"
        newest = SchemaFile("newest.avsc", record, 2, json.dumps(reader))
        monkeypatch.setattr(codec, "newest_schema", lambda record: newest)
        _forget()
        ids = MemorySchemaIds()
        number = ids.id_of(record, json.dumps(writer))
        values = [frame_header(number) + datum(writer, row) for row in rows]
        if request.param == "batch":
            frame = decode_batch(values, Codec(ids)).frames[record]
            return frame.drop("position").to_dicts()
        known = Codec(ids).writer_of(number)
        return [codec.decode_record(known, value) for value in values]

    yield read
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for remembered in (codec.reader_schema, codec._int_fields, container._plan_for):
        remembered.cache_clear()


def datum(writer: Schema, row: Row) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(without_logical_types(writer)), row)
    return out.getvalue()


def test_a_field_that_was_not_written_yet_has_its_default(read: Read) -> None:
    later = ended_with(
        field("host", "string", default="nowhere"),
        field("exit_code", ["null", "long"], default=None),
        field("ratio", "double", default=0.5),
        field("tags", {"type": "array", "items": "string"}, default=[]),
        field("kind", {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}, default="B"),
    )
    added: Row = {
        "host": "nowhere",
        "exit_code": None,
        "ratio": 0.5,
        "tags": [],
        "kind": "B",
    }
    assert read(ENDED, [ROW, ROW], later) == [{**ROW, **added}] * 2


def test_a_field_that_was_not_written_yet_may_default_to_a_filled_array(read: Read) -> None:
    later = ended_with(field("tags", {"type": "array", "items": "string"}, default=["old"]))
    assert read(ENDED, [ROW], later) == [{**ROW, "tags": ["old"]}]


def test_a_field_that_the_reader_does_not_know_is_left_out(read: Read) -> None:
    later = ended_with(field("host", "string", default=""))
    assert read(later, [{**ROW, "host": "gate-1"}] * 2, ENDED) == [ROW] * 2


def test_a_field_that_is_no_longer_written_has_its_default(read: Read) -> None:
    short = {name: value for name, value in ROW.items() if name != "detail"}
    assert read(ended_with(without=("detail",)), [short], ENDED) == [{**ROW, "detail": ""}]


def test_fields_in_another_order_are_found_by_name(read: Read) -> None:
    first, *rest = ENDED["fields"]
    assert read({**ENDED, "fields": [first, *reversed(rest)]}, [ROW], ENDED) == [ROW]


def test_a_symbol_that_the_reader_does_not_know_is_unknown(read: Read) -> None:
    later = ended_with(status("UNKNOWN", "PAUSED", "FINISHED", "FAILED", "KILLED"))
    rows = [{**ROW, "status": name} for name in ("PAUSED", "FAILED", "UNKNOWN")]
    read_back = [row["status"] for row in read(later, rows, ENDED)]
    assert read_back == ["UNKNOWN", "FAILED", "UNKNOWN"]


def test_a_symbol_that_was_added_later_does_not_change_older_facts(read: Read) -> None:
    later = ended_with(status("UNKNOWN", "PAUSED", "FINISHED", "FAILED", "KILLED"))
    assert read(ENDED, [ROW], later) == [ROW]


def test_an_unknown_symbol_inside_an_array_is_unknown_too(read: Read) -> None:
    profiled = json.loads(newest_schema(ReferenceProfiled.record).text)
    later = json.loads(json.dumps(profiled).replace('"NUMERIC", ', '"NUMERIC", "ORDINAL", '))
    feature = {"name": "f", "kind": "ORDINAL", "counts": [1], "edges": [], "categories": []}
    row = {
        name: value
        for name, value in record_from_fact(example_fact(ReferenceProfiled)).items()
        if name != "features"
    }
    (given,) = read(later, [{**row, "features": [feature]}], profiled)
    assert given == {**row, "features": [{**feature, "kind": "UNKNOWN"}]}


def test_a_field_added_inside_an_array_of_records_has_its_default(read: Read) -> None:
    profiled = json.loads(newest_schema(ReferenceProfiled.record).text)
    later = json.loads(json.dumps(profiled))
    features = next(part for part in later["fields"] if part["name"] == "features")
    features["type"]["items"]["fields"].append(field("unit", "string", default="px"))
    row = record_from_fact(example_fact(ReferenceProfiled))
    (given,) = read(profiled, [row], later)
    assert [feature["unit"] for feature in given["features"]] == ["px"]


def test_null_may_be_allowed_later(read: Read) -> None:
    later = ended_with(field("run_id", ["null", "string"]))
    assert read(ENDED, [ROW], later) == [ROW]


def test_a_number_may_become_wider(read: Read) -> None:
    later = ended_with(field("occurred_at", "double"))
    (row,) = read(ENDED, [{**ROW, "occurred_at": 2**53 + 1}], later)
    assert row["occurred_at"] == float(2**53 + 1)
    assert isinstance(row["occurred_at"], float)


BREAKING = {
    "required later": (ENDED, ROW, ended_with(field("host", "string"))),
    "another type": (ended_with(field("detail", "long")), {**ROW, "detail": 1}, ENDED),
    "null no more": (
        ended_with(field("run_id", ["null", "string"])),
        {**ROW, "run_id": None},
        ENDED,
    ),
    "a wider number before": (
        ended_with(field("occurred_at", "double")),
        {**ROW, "occurred_at": 1.5},
        ENDED,
    ),
}


@pytest.mark.parametrize(("writer", "row", "reader"), BREAKING.values(), ids=BREAKING)
def test_what_does_not_resolve_is_never_guessed(
    writer: Schema, row: Row, reader: Schema, read: Read
) -> None:
    try:
        rows = read(writer, [row], reader)
    except DecodeError:
        return
    assert rows == []


def test_older_and_newer_writers_share_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = example_fact(RunEnded)
    newer = ended_with(field("note", "string", default=""))
    ids = MemorySchemaIds()
    facts = Codec(ids)
    old_value = facts.encode(ended)
    number = ids.id_of(ended.record, json.dumps(newer))
    record = {**record_from_fact(ended), "note": "n"}
    values = [frame_header(number) + datum(newer, record), old_value]
    monkeypatch.setattr(batch, "decode_record", None)
    frame = decode_batch(values, facts).frames[ended.record]
    assert frame["position"].to_list() == [0, 1]
    assert frame["run_id"].to_list() == [ended.run_id] * 2
    assert frame.schema["position"] == pl.UInt32
