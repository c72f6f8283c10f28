"""Datums of every release can be read without a schema registry."""

import io
import json

import fastavro
import pytest

from modeltrail.producers.eventlog.framing import decode_datum
from modeltrail.schemas.catalog import SchemaFile, schema_files
from modeltrail.schemas.codec import encode_datum
from modeltrail.schemas.errors import DecodeError, UnexpectedRecord
from modeltrail.schemas.events import RunEnded, RunStarted, RunStatus
from modeltrail.schemas.ids import EventId, ExperimentId, Micros, RunId

RECORD = RunStarted.record
ENDED = RunEnded(EventId(bytes(16)), Micros(5), RunId("run-1"), RunStatus.FAILED, "why")


def first_release() -> SchemaFile:
    return next(file for file in schema_files() if (file.record, file.version) == (RECORD, 1))


def test_a_datum_of_an_older_release_has_the_defaults_of_this_one() -> None:
    out = io.BytesIO()
    values = {
        "event_id": bytes(16),
        "occurred_at": 5,
        "run_id": "run-1",
        "experiment_id": "threshold",
        "config_json": "{}",
    }
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(first_release().text)), values)

    fact = decode_datum(RECORD, 1, out.getvalue())

    assert isinstance(fact, RunStarted)
    assert (fact.run_id, fact.experiment_id) == (RunId("run-1"), ExperimentId("threshold"))
    assert (fact.heartbeat_s, fact.environment_json) == (0.0, "")


def test_what_was_encoded_is_decoded_and_anything_else_is_refused() -> None:
    datum = encode_datum(ENDED)

    assert decode_datum(RunEnded.record, 1, datum) == ENDED
    with pytest.raises(DecodeError, match="left over"):
        decode_datum(RunEnded.record, 1, datum + b"x")
    with pytest.raises(UnexpectedRecord, match="version 99"):
        decode_datum(RunEnded.record, 99, datum)
