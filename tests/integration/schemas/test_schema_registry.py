"""A real schema registry keeps every schema, refuses what would break one, and may be away."""

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from modeltrail.infra.config import SchemaRegistrySettings, Settings
from modeltrail.infra.errors import ConfigError
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.catalog import SchemaFile, newest_schema, schema_files
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import (
    IncompatibleSchema,
    SchemaRegistryDenied,
    SchemaRegistryUnavailable,
    UnexpectedRecord,
    UnknownSchemaId,
)
from modeltrail.schemas.events import RunEnded
from modeltrail.schemas.example_facts import example_facts
from modeltrail.schemas.wire import frame_header

ENDED = newest_schema(RunEnded.record)
_records = itertools.count(1)
Schema = dict[str, Any]
Edit = Callable[[Schema], None]


@pytest.fixture
def registry(stack: Settings) -> ConfluentSchemaIds:
    return ConfluentSchemaIds(stack.schema_registry)


@pytest.fixture
def first() -> SchemaFile:
    """RunEnded under a name that no other test has."""
    schema = {**json.loads(ENDED.text), "name": f"RunEnded{next(_records)}"}
    record = f"{schema['namespace']}.{schema['name']}"
    return replace(ENDED, record=record, text=json.dumps(schema))


def next_version(first: SchemaFile, edit: Edit) -> SchemaFile:
    schema = json.loads(first.text)
    edit(schema)
    return replace(first, version=first.version + 1, text=json.dumps(schema))


def add(name: str, kind: Any, **more: Any) -> Edit:
    return lambda schema: schema["fields"].append({"name": name, "type": kind, **more})


def remove(name: str) -> Edit:
    def edit(schema: Schema) -> None:
        schema["fields"] = [field for field in schema["fields"] if field["name"] != name]

    return edit


def symbols(*names: str) -> Edit:
    def edit(schema: Schema) -> None:
        status = next(field for field in schema["fields"] if field["name"] == "status")
        status["type"] = {**status["type"], "symbols": list(names)}

    return edit


def retype(name: str, kind: Any) -> Edit:
    def edit(schema: Schema) -> None:
        next(field for field in schema["fields"] if field["name"] == name)["type"] = kind

    return edit


def without_enum_default(schema: Schema) -> None:
    status = next(field for field in schema["fields"] if field["name"] == "status")
    status["type"] = {name: part for name, part in status["type"].items() if name != "default"}


def test_every_schema_is_published_and_given_back(registry: ConfluentSchemaIds) -> None:
    numbers = registry.publish(schema_files())
    assert len(set(numbers)) == len(schema_files())
    for number, file in zip(numbers, schema_files(), strict=True):
        assert json.loads(registry.schema_of(number)) == json.loads(file.text)


def test_publishing_again_gives_the_same_ids(stack: Settings, registry: ConfluentSchemaIds) -> None:
    again = ConfluentSchemaIds(stack.schema_registry)
    assert registry.publish(schema_files()) == again.publish(schema_files())


def test_facts_travel_between_two_processes_by_the_registry(stack: Settings) -> None:
    writer, reader = (Codec(ConfluentSchemaIds(stack.schema_registry)) for _ in range(2))
    values = [writer.encode(fact) for fact in example_facts()]
    assert [reader.decode(value) for value in values] == list(example_facts())
    decoded = decode_batch(values, Codec(ConfluentSchemaIds(stack.schema_registry)))
    assert decoded.rejects == ()
    assert sum(frame.height for frame in decoded.frames.values()) == len(values)


COMPATIBLE = {
    "a field with a default": add("host", "string", default=""),
    "a field that may be null": add("exit_code", ["null", "long"], default=None),
    "without a field that had a default": remove("detail"),
    "one more symbol": symbols("UNKNOWN", "FINISHED", "FAILED", "KILLED", "PAUSED"),
}
BREAKING = {
    "a field without a default": add("host", "string"),
    "without a field that had no default": remove("run_id"),
    "another type": retype("detail", "long"),
    "null from now on": retype("run_id", ["null", "string"]),
    "a wider number": retype("occurred_at", "double"),
}


@pytest.mark.parametrize("edit", COMPATIBLE.values(), ids=COMPATIBLE)
def test_a_compatible_version_is_accepted(
    edit: Edit, first: SchemaFile, registry: ConfluentSchemaIds
) -> None:
    numbers = registry.publish((first, next_version(first, edit)))
    assert len(set(numbers)) == 2


@pytest.mark.parametrize("edit", BREAKING.values(), ids=BREAKING)
def test_a_breaking_version_is_refused(
    edit: Edit, first: SchemaFile, registry: ConfluentSchemaIds
) -> None:
    registry.publish((first,))
    with pytest.raises(IncompatibleSchema, match="FULL_TRANSITIVE"):
        registry.publish((first, next_version(first, edit)))


def test_a_removed_symbol_is_for_us_to_refuse(
    first: SchemaFile, registry: ConfluentSchemaIds
) -> None:
    """Avro lets a symbol go where there is a default; the contract of the schemas does not."""
    removed = next_version(first, symbols("UNKNOWN", "FINISHED", "FAILED"))
    assert len(set(registry.publish((first, removed)))) == 2


def test_without_the_default_no_symbol_could_ever_be_added(
    first: SchemaFile, registry: ConfluentSchemaIds
) -> None:
    rigid = next_version(first, without_enum_default)
    richer = next_version(rigid, symbols("UNKNOWN", "FINISHED", "FAILED", "KILLED", "PAUSED"))
    with pytest.raises(IncompatibleSchema, match="PAUSED"):
        registry.publish((rigid, richer))


def test_a_version_is_compared_with_all_before(
    first: SchemaFile, registry: ConfluentSchemaIds
) -> None:
    second = next_version(first, remove("detail"))
    third = next_version(second, add("detail", "long", default=0))
    with pytest.raises(IncompatibleSchema):
        registry.publish((first, second, third))


def test_an_unknown_id_is_no_fact(registry: ConfluentSchemaIds) -> None:
    with pytest.raises(UnknownSchemaId, match="no schema 2000000000"):
        Codec(registry).decode(frame_header(2_000_000_000) + b"datum")


def test_an_id_beyond_what_registries_give_is_no_fact(registry: ConfluentSchemaIds) -> None:
    with pytest.raises(UnknownSchemaId):
        Codec(registry).decode(frame_header(2**32 - 1) + b"datum")


def test_a_foreign_schema_of_the_same_registry_is_no_fact(registry: ConfluentSchemaIds) -> None:
    order = '{"type": "record", "name": "Order", "namespace": "shop", "fields": []}'
    number = registry.id_of("shop.Order", order)
    with pytest.raises(UnexpectedRecord, match=r"shop\.Order"):
        Codec(registry).decode(frame_header(number))


def closed_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Answer(BaseHTTPRequestHandler):
    """Says the same to every request."""

    status, body = 500, b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_PUT = do_GET  # noqa: N815 (names of http.server)

    def log_message(self, *_: object) -> None:
        """Keep stderr quiet."""


@pytest.fixture
def answering() -> Iterator[Callable[[int, bytes], SchemaRegistrySettings]]:
    servers = []

    def answering(status: int, body: bytes) -> SchemaRegistrySettings:
        handler = type("Fixed", (Answer,), {"status": status, "body": body})
        server = HTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return SchemaRegistrySettings(url=f"http://127.0.0.1:{server.server_port}")

    yield answering
    for server in servers:
        server.shutdown()
        server.server_close()


def questions(registry: ConfluentSchemaIds) -> list[Callable[[], object]]:
    return [
        lambda: registry.id_of(ENDED.record, ENDED.text),
        lambda: registry.schema_of(1),
        lambda: registry.publish((ENDED,)),
    ]


@pytest.mark.timeout(60)
def test_a_registry_that_is_down_is_unavailable() -> None:
    settings = SchemaRegistrySettings(url=f"http://127.0.0.1:{closed_port()}")
    for question in questions(ConfluentSchemaIds(settings)):
        with pytest.raises(SchemaRegistryUnavailable, match="modeltrail status"):
            question()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"error_code": 50001, "message": "broken"}'),
        (503, b""),
        (502, b"<html>proxy</html>"),
        (200, b"<html>welcome</html>"),
        (200, b"[]"),
    ],
)
def test_a_server_that_fails_is_unavailable(
    status: int, body: bytes, answering: Callable[[int, bytes], SchemaRegistrySettings]
) -> None:
    for question in questions(ConfluentSchemaIds(answering(status, body), retries=0)):
        with pytest.raises(SchemaRegistryUnavailable):
            question()


@pytest.mark.parametrize("status", [401, 403])
def test_a_registry_that_knows_us_not_says_which_settings_to_set(
    status: int, answering: Callable[[int, bytes], SchemaRegistrySettings]
) -> None:
    settings = answering(status, b'{"error_code": 40101, "message": "who are you"}')
    for question in questions(ConfluentSchemaIds(settings, retries=0)):
        with pytest.raises(SchemaRegistryDenied, match="MODELTRAIL_SCHEMA_REGISTRY_USERNAME"):
            question()


def test_no_registry_at_all_says_how_to_get_one() -> None:
    with pytest.raises(ConfigError, match="modeltrail up"):
        ConfluentSchemaIds(SchemaRegistrySettings())
