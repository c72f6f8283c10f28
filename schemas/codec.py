"""Turns typed events into framed Avro bytes and back, resolving the schema that wrote them."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Protocol

import fastavro

from modeltrail.schemas.catalog import full_name, newest_schema, without_logical_types
from modeltrail.schemas.conversion import fact_from_record, record_from_fact
from modeltrail.schemas.errors import DecodeError, InvalidFact, UnexpectedRecord
from modeltrail.schemas.events import (
    Fact,
    MeasurementSampled,
    OfManySeries,
    PartialWindow,
    RecentMeasured,
    WindowClosed,
)
from modeltrail.schemas.facts import FACTS
from modeltrail.schemas.wire import HEADER_BYTES, frame_header, schema_id_of


class SchemaIds(Protocol):
    """What the codec asks of a schema registry."""

    def id_of(self, subject: str, schema: str) -> int:
        """The id of `schema`, registering it under `subject` where it is new.

        Raises:
            SchemaRegistryUnavailable: no answer in time.
            IncompatibleSchema: the registry refused it.
        """
        ...

    def schema_of(self, schema_id: int) -> str:
        """The schema with that id.

        Raises:
            SchemaRegistryUnavailable: no answer in time.
            UnknownSchemaId: the registry has no such id.
        """
        ...


@dataclass(frozen=True)
class Writer:
    """The schema that wrote a datum: its JSON without logical types, parsed, and our record."""

    record: str
    json_text: str
    parsed: Any = field(compare=False)

    @cached_property
    def is_newest(self) -> bool:
        """Whether it writes what the newest schema of the record writes."""
        mine, newest = (
            fastavro.schema.to_parsing_canonical_form(schema)
            for schema in (json.loads(self.json_text), _plain_schema(self.record))
        )
        return mine == newest


class Codec:
    """Encodes and decodes facts; schema ids and writer schemas are asked for once and kept."""

    def __init__(self, ids: SchemaIds) -> None:
        self._ids = ids
        self._headers: dict[str, bytes] = {}
        self._writers: dict[int, Writer] = {}

    def header_of(self, kind: type[Fact]) -> bytes:
        """The frame header of the newest schema of `kind`.

        Raises:
            SchemaRegistryUnavailable: the id is not known yet and the registry does not answer.
        """
        header = self._headers.get(kind.record)
        if header is None:
            schema = newest_schema(kind.record)
            header = frame_header(self._ids.id_of(schema.record, schema.text))
            self._headers[kind.record] = header
        return header

    def encode(self, fact: Fact) -> bytes:
        """Frame and encode `fact` with the newest schema of its kind.

        Raises:
            InvalidFact: a value does not fit the schema.
            SchemaRegistryUnavailable: the schema's id is not known yet.
        """
        return self.header_of(type(fact)) + encode_datum(fact)

    def encode_all(self, facts: Sequence[Fact]) -> list[bytes]:
        """What `encode` gives for each of `facts`; in less time where many are alike.

        Raises:
            InvalidFact: a value does not fit its schema.
            SchemaRegistryUnavailable: the id of a schema is not known yet.
        """
        if all(isinstance(fact, WindowClosed) for fact in facts):
            header = self.header_of(WindowClosed)
            return [header + datum for datum in _window_data(facts)]
        return [self.encode(fact) for fact in facts]

    def decode(self, value: bytes) -> Fact:
        """Decode one framed datum into the typed event it is.

        Raises:
            DecodeError: not a fact of ours; the subclass tells why.
            SchemaRegistryUnavailable: its writer schema is not known yet.
        """
        writer = self.writer_of(schema_id_of(value))
        kind = kind_of(writer.record)
        if issubclass(kind, _OF_COLUMNS):
            return _decoded_columns(kind, writer, value)
        return fact_from_record(kind, decode_record(writer, value))

    def writer_of(self, schema_id: int) -> Writer:
        """The writer schema with that id.

        Raises:
            UnknownSchemaId: the registry has no such id.
            UnexpectedRecord: the id is of a record that is not ours.
            SchemaRegistryUnavailable: no answer in time.
        """
        writer = self._writers.get(schema_id)
        if writer is None:
            writer = _parse_writer(self._ids.schema_of(schema_id))
            self._writers[schema_id] = writer
        kind_of(writer.record)
        return writer


# Their columns have to fit each other, which no schema says.
_OF_COLUMNS = (MeasurementSampled, OfManySeries, PartialWindow, RecentMeasured, WindowClosed)


def _decoded_columns(kind: type[Fact], writer: Writer, value: bytes) -> Fact:
    # With them comes numpy, which a node that only measures does not wait for.
    from modeltrail.schemas.column_datum import read_columns
    from modeltrail.schemas.column_fit import misfit

    fact: Fact | None = None
    if issubclass(kind, OfManySeries) and writer.is_newest:
        fact = read_columns(kind, value[HEADER_BYTES:])
    if fact is None:
        fact = fact_from_record(kind, decode_record(writer, value))
    if problem := misfit(fact):
        raise DecodeError(f"the columns of {kind.__name__} do not fit: {problem}")
    return fact


def encode_datum(fact: Fact) -> bytes:
    """Encode `fact` with the newest schema of its kind, unframed.

    Raises:
        InvalidFact: a value does not fit the schema.
    """
    out = io.BytesIO()
    try:
        if isinstance(fact, OfManySeries):
            from modeltrail.schemas.column_datum import column_datum

            return column_datum(fact)
        record = record_from_fact(fact)
        _check_ints(fact.record, record)
        fastavro.schemaless_writer(out, reader_schema(fact.record), record)
    except _MISFITS as error:
        raise _misfit(type(fact).__name__, error) from error
    return out.getvalue()


def _window_data(windows: Sequence[Any]) -> list[bytes]:
    # With it comes numpy, which a node that only measures does not wait for.
    from modeltrail.schemas.window_data import window_data

    try:
        return window_data(windows)
    except _MISFITS as error:
        raise _misfit(WindowClosed.__name__, error) from error


def _misfit(kind: str, error: Exception) -> InvalidFact:
    return InvalidFact(f"{kind} does not fit its schema: {error}")


# What writers raise of values that do not fit.
_MISFITS = (ValueError, TypeError, OverflowError, AttributeError)


def decode_record(writer: Writer, value: bytes) -> dict[str, Any]:
    """Decode one framed datum of `writer` into a record of the newest schema.

    Raises:
        DecodeError: the datum ends early, has bytes left over or holds impossible values.
    """
    stream = io.BytesIO(value)
    stream.seek(HEADER_BYTES)
    try:
        record: Any = fastavro.schemaless_reader(
            stream, writer.parsed, reader_schema(writer.record)
        )
        _check_ints(writer.record, record)
    except Exception as error:
        raise DecodeError(f"{type(error).__name__} while decoding: {error}"[:500]) from error
    if left := len(value) - stream.tell():
        raise DecodeError(f"{left} bytes left over after the datum")
    fields: dict[str, Any] = record
    return fields


def _check_ints(record: str, values: dict[str, Any]) -> None:
    # fastavro reads and writes an Avro int as if it were a long.
    for name in _int_fields(record):
        if not -(2**31) <= values[name] < 2**31:
            raise ValueError(f"{name} is {values[name]}: an int has 32 bits")


@cache
def _int_fields(record: str) -> tuple[str, ...]:
    fields = reader_schema(record)["fields"]
    return tuple(field["name"] for field in fields if field["type"] == "int")


@cache
def reader_schema(record: str) -> Any:
    """The newest schema of `record`, parsed, timestamps as integers."""
    return fastavro.parse_schema(_plain_schema(record))


def _plain_schema(record: str) -> Any:
    return without_logical_types(json.loads(newest_schema(record).text))


@cache
def _kinds() -> dict[str, type[Fact]]:
    return {kind.record: kind for kind in FACTS}


def kind_of(record: str) -> type[Fact]:
    """The typed event of an Avro record.

    Raises:
        UnexpectedRecord: none of ours.
    """
    kind = _kinds().get(record)
    if kind is None:
        raise UnexpectedRecord(f"record {record} is not one of modeltrail's")
    return kind


def _parse_writer(text: str) -> Writer:
    try:
        schema = without_logical_types(json.loads(text))
        return Writer(full_name(schema), json.dumps(schema), fastavro.parse_schema(schema))
    except Exception as error:
        raise UnexpectedRecord(f"the writer schema is no Avro record: {error}") from error
