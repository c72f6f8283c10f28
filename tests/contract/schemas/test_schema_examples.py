"""Every schema has an example that is valid, decodes by every way there is, and round-trips."""

import io
import json
from typing import Any

import fastavro
import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.catalog import (
    SchemaFile,
    example_of,
    newest_schema,
    schema_files,
    without_logical_types,
)
from modeltrail.schemas.codec import Codec, encode_datum, kind_of, reader_schema
from modeltrail.schemas.conversion import fact_from_record, record_from_fact
from modeltrail.schemas.events import Fact
from modeltrail.schemas.example_facts import example_fact, example_facts
from modeltrail.schemas.facts import FACTS
from modeltrail.schemas.wire import frame_header

OLDER = [file for file in schema_files() if file != newest_schema(file.record)]
ONE_AN_OLDER_VERSION = pytest.mark.parametrize("older", OLDER, ids=lambda file: file.path)
ONE_A_FACT = pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.record)


@ONE_A_FACT
def test_example_names_every_field(kind: type[Fact]) -> None:
    file = newest_schema(kind.record)
    assert list(example_of(file)) == [field["name"] for field in json.loads(file.text)["fields"]]


@ONE_A_FACT
def test_fastavro_reads_what_it_wrote_of_the_example(kind: type[Fact]) -> None:
    record = record_from_fact(example_fact(kind))
    schema = reader_schema(kind.record)
    assert fastavro.validate(record, schema, strict=True)
    datum = io.BytesIO(encode_datum(example_fact(kind)))
    read: Any = fastavro.schemaless_reader(datum, schema, None)
    assert fact_from_record(kind, read) == example_fact(kind)


@ONE_AN_OLDER_VERSION
def test_a_fact_of_an_older_version_has_the_defaults_of_what_came_later(older: SchemaFile) -> None:
    kind = kind_of(older.record)
    record = record_from_fact(example_fact(kind))
    known = {field["name"] for field in json.loads(older.text)["fields"]}
    later = {
        field["name"]: field["default"]
        for field in json.loads(newest_schema(older.record).text)["fields"]
        if field["name"] not in known
    }
    expected = fact_from_record(kind, {**record, **later})
    # when it is written as it was then
    ids = MemorySchemaIds()
    value = io.BytesIO()
    writer = fastavro.parse_schema(without_logical_types(json.loads(older.text)))
    value.write(frame_header(ids.id_of(older.record, older.text)))
    fastavro.schemaless_writer(value, writer, record)
    # then both decoders read it
    assert Codec(ids).decode(value.getvalue()) == expected
    decoded = decode_batch([value.getvalue()], Codec(ids))
    assert decoded.rejects == ()
    (row,) = decoded.frames[older.record].to_dicts()
    assert fact_from_record(kind, row) == expected


@ONE_A_FACT
def test_codec_gives_the_example_back(kind: type[Fact]) -> None:
    codec = Codec(MemorySchemaIds())
    assert codec.decode(codec.encode(example_fact(kind))) == example_fact(kind)


def test_batch_decoder_gives_all_examples_back() -> None:
    codec = Codec(MemorySchemaIds())
    decoded = decode_batch([codec.encode(fact) for fact in example_facts()], codec)
    assert decoded.rejects == ()
    for position, fact in enumerate(example_facts()):
        (row,) = decoded.frames[fact.record].to_dicts()
        assert row["position"] == position
        assert fact_from_record(type(fact), row) == fact


def test_each_example_belongs_to_a_schema() -> None:
    names = {example_of(file)["event_id"] for file in schema_files()}
    assert all(len(bytes.fromhex(name)) == 16 for name in names)


def test_an_example_with_a_value_of_the_wrong_kind_would_not_pass() -> None:
    record: dict[str, Any] = record_from_fact(example_fact(FACTS[0]))
    assert not fastavro.validate(
        {**record, "model_id": 7}, reader_schema(FACTS[0].record), raise_errors=False
    )
