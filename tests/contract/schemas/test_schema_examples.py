"""Every schema has an example that is valid, decodes by every way there is, and round-trips."""

import io
import json
from typing import Any

import fastavro
import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.catalog import example_of, newest_schema, schema_files
from modeltrail.schemas.codec import Codec, encode_datum, reader_schema
from modeltrail.schemas.conversion import fact_from_record, record_from_fact
from modeltrail.schemas.events import Fact
from modeltrail.schemas.example_facts import example_fact, example_facts
from modeltrail.schemas.facts import FACTS

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
