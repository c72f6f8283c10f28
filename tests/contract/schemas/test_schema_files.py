"""Every `.avsc` says the same as its typed event, and keeps the rules that all schemas keep."""

import json
from array import array
from collections.abc import Iterator
from dataclasses import MISSING, fields
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.catalog import newest_schema, schema_files
from modeltrail.schemas.codec import Codec, encode_datum, reader_schema
from modeltrail.schemas.columns import Doubles, Longs
from modeltrail.schemas.container import read_container
from modeltrail.schemas.datum_steps import datum_steps
from modeltrail.schemas.events import DeadLetter, Fact
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.facts import FACTS
from modeltrail.schemas.ids import EventId, Micros, Sha256
from modeltrail.schemas.polars_types import columns_of
from tests.decoded_alone import DECODED_ALONE

ONE_A_FACT = pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.record)
ONE_A_FILE = pytest.mark.parametrize("file", schema_files(), ids=lambda file: file.path)

_TIMESTAMP = {"type": "long", "logicalType": "timestamp-micros"}
_PRIMITIVES = {
    bool: ("boolean",),
    str: ("string",),
    float: ("double",),
    int: ("long", "int"),
    bytes: ("bytes",),
}


def test_each_record_has_exactly_one_typed_event() -> None:
    records = [kind.record for kind in FACTS]
    assert sorted(records) == sorted({file.record for file in schema_files()})
    assert len(set(records)) == len(records)


@ONE_A_FACT
def test_fields_of_a_typed_event_are_those_of_its_schema(kind: type[Fact]) -> None:
    assert list(disagreements(kind, json.loads(newest_schema(kind.record).text))) == []


def disagreements(kind: Any, schema: Any) -> Iterator[str]:
    """Every way in which a dataclass and a record schema differ."""
    hints = get_type_hints(kind)
    typed = {field.name: field for field in fields(kind)}
    declared = {field["name"]: field for field in schema["fields"]}
    if set(typed) != set(declared):
        yield f"{kind.__name__}: {set(typed) ^ set(declared)} are in one only"
        return
    if list(typed) != list(declared):
        yield f"{kind.__name__}: fields are in another order"
    for name, field in typed.items():
        place = f"{kind.__name__}.{name}"
        yield from _type_disagreements(place, hints[name], declared[name]["type"])
        yield from _default_disagreements(place, field, declared[name])


def _no_default(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _default_disagreements(place: str, field: Any, declared: Any) -> Iterator[str]:
    if _no_default(field):
        # A field that may be null must be asked for where null has a meaning of its own.
        if "default" in declared and declared["default"] is not None:
            yield f"{place}: the schema has a default, the event has none"
        return
    made = field.default_factory() if field.default is MISSING else field.default
    default = list(made) if isinstance(made, tuple | array) else made
    if "default" not in declared or declared["default"] != default:
        yield f"{place}: default is {default!r}, in the schema {declared.get('default', 'none')!r}"


def _type_disagreements(place: str, hint: Any, declared: Any) -> Iterator[str]:
    if get_origin(hint) in (Union, UnionType):
        if not isinstance(declared, list) or declared[0] != "null" or len(declared) != 2:
            yield f"{place}: may be null, in the schema {declared}"
            return
        hint = next(part for part in get_args(hint) if part is not NoneType)
        declared = declared[1]
    if hint is Micros:
        if declared != _TIMESTAMP:
            yield f"{place}: is a timestamp, in the schema {declared}"
    elif hint in (EventId, Sha256):
        size = 16 if hint is EventId else 32
        if not _is(declared, "fixed") or declared["size"] != size:
            yield f"{place}: is fixed({size}), in the schema {declared}"
    elif hint in (Longs, Doubles):
        items = "long" if hint is Longs else "double"
        if declared != {"type": "array", "items": items}:
            yield f"{place}: is an array of {items}, in the schema {declared}"
    elif isinstance(hint, NewType):
        yield from _type_disagreements(place, hint.__supertype__, declared)
    elif get_origin(hint) is tuple:
        item, ellipsis = get_args(hint)
        if ellipsis is not ... or not _is(declared, "array"):
            yield f"{place}: is an array, in the schema {declared}"
        else:
            yield from _type_disagreements(f"{place}[]", item, declared["items"])
    elif isinstance(hint, type) and issubclass(hint, StrEnum):
        if not _is(declared, "enum") or declared["name"] != hint.__name__:
            yield f"{place}: is {hint.__name__}, in the schema {declared}"
        elif declared["symbols"] != [member.value for member in hint]:
            yield f"{place}: symbols are {list(hint)}, in the schema {declared['symbols']}"
    elif hint in _PRIMITIVES:
        if declared not in _PRIMITIVES[hint]:
            yield f"{place}: is {hint.__name__}, in the schema {declared}"
    elif not _is(declared, "record") or declared["name"] != hint.__name__:
        yield f"{place}: is {hint.__name__}, in the schema {declared}"
    else:
        yield from disagreements(hint, declared)


def _is(declared: Any, kind: str) -> bool:
    return isinstance(declared, dict) and declared["type"] == kind


def test_a_disagreement_is_seen() -> None:
    schema = json.loads(newest_schema(DeadLetter.record).text)
    text = json.dumps(schema)
    consumer = '"name": "consumer", "type": "string"'
    *most, last_but_one, last = schema["fields"]
    changed_ones = (
        json.loads(text.replace('"detail"', '"details"')),
        json.loads(text.replace(consumer, consumer.replace('"string"', '"long"'))),
        json.loads(text.replace(consumer, consumer.replace('"string"', '["null", "string"]'))),
        json.loads(text.replace('"NON_FINITE", ', "")),
        json.loads(text.replace(consumer, consumer + ', "default": "somebody"')),
        {**schema, "fields": [*most, last, last_but_one]},
    )
    for changed in changed_ones:
        assert changed != schema
        assert list(disagreements(DeadLetter, changed))


@ONE_A_FILE
def test_event_id_is_fixed_16_and_first(file: Any) -> None:
    first = json.loads(file.text)["fields"][0]
    assert first["name"] == "event_id"
    assert (first["type"]["type"], first["type"]["size"]) == ("fixed", 16)


@ONE_A_FILE
def test_each_record_field_and_enum_has_a_doc(file: Any) -> None:
    bare = [
        part["name"]
        for part in parts(json.loads(file.text))
        if "name" in part and part.get("type") != "fixed" and not part.get("doc")
    ]
    assert bare == []


@ONE_A_FILE
def test_each_enum_falls_back_on_unknown(file: Any) -> None:
    for part in parts(json.loads(file.text)):
        if part.get("type") == "enum":
            assert part["default"] == "UNKNOWN"
            assert part["symbols"][0] == "UNKNOWN"
            # The batch decoder counts one byte for a symbol.
            assert len(part["symbols"]) < 64


@ONE_A_FILE
def test_only_the_dead_letter_has_free_bytes(file: Any) -> None:
    texts = json.dumps(json.loads(file.text))
    assert ('"bytes"' in texts) == (file.record == DeadLetter.record)
    sizes = {part["size"] for part in parts(json.loads(file.text)) if part.get("type") == "fixed"}
    assert sizes <= {16, 32}


@ONE_A_FILE
def test_every_item_takes_at_least_a_byte(file: Any) -> None:
    """Otherwise a count of 2^60 in eight hostile bytes would keep a reader busy for ever."""
    for part in parts(json.loads(file.text)):
        if part.get("type") == "array":
            assert part["items"] != "null"
            assert part["items"] != []
        if part.get("type") == "record":
            assert part["fields"]
        if part.get("type") == "fixed":
            assert part["size"] > 0


@ONE_A_FILE
def test_an_int_of_32_bits_is_a_field_of_its_own(file: Any) -> None:
    """The codec checks the range of those only: fastavro reads an int as if it were a long."""
    top = [field["type"] for field in json.loads(file.text)["fields"]]
    everywhere = json.dumps(json.loads(file.text)).count('"int"')
    assert everywhere == top.count("int")


@ONE_A_FILE
def test_names_are_spelled_out_and_never_aliased(file: Any) -> None:
    """A named reference is unreadable for polars, and so is an alias for the batch decoder."""
    schema = json.loads(file.text)
    assert all("aliases" not in part for part in parts(schema))
    columns_of(schema)


@ONE_A_FILE
def test_bytes_never_have_a_default_but_null(file: Any) -> None:
    """Fastavro hands such a default out as the string that it is in the schema."""
    for part in parts(json.loads(file.text)):
        if part.get("default") is not None:
            assert "bytes" not in json.dumps(part["type"])
            assert '"fixed"' not in json.dumps(part["type"])


@ONE_A_FILE
def test_file_name_is_the_record_and_namespace_the_folder(file: Any) -> None:
    folder, name = file.path.split("/")
    assert file.record == f"modeltrail.{folder}.{name.split('.')[0]}"


@ONE_A_FACT
def test_the_batch_decoder_reads_whole_containers_of_each_fact(kind: type[Fact]) -> None:
    schema = reader_schema(kind.record)
    if kind in DECODED_ALONE:
        with pytest.raises(TypeError):
            datum_steps(schema)
        return
    codec = Codec(MemorySchemaIds())
    number = int.from_bytes(codec.header_of(kind)[1:], "big")
    assert read_container(codec.writer_of(number), [encode_datum(example_fact(kind))]) is not None


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object of a schema, from the outside in."""
    if isinstance(schema, dict):
        yield schema
        for name, part in schema.items():
            if name != "default":
                yield from parts(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from parts(part)
