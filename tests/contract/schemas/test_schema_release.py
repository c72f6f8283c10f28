"""A released schema never changes again, and what follows it reads and is read by all before it."""

import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from modeltrail.schemas.catalog import SchemaFile, released_checksums, schema_files
from modeltrail.schemas.events import RunEnded


def test_released_schemas_are_the_files_that_were_released() -> None:
    assert list(release_faults(schema_files(), released_checksums())) == []


def release_faults(files: tuple[SchemaFile, ...], released: Mapping[str, str]) -> Iterator[str]:
    """Every file that is not what `released.json` says, with the next step."""
    found = {file.path: file.sha256 for file in files}
    for path, checksum in released.items():
        if path not in found:
            yield f"{path} is missing: a released schema stays for ever, restore it"
        elif found[path] != checksum:
            yield f"{path} was edited: restore it and add the next version beside it"
    for path in found.keys() - released.keys():
        yield f"{path} has no checksum: add it to released.json with {found[path]}"


def test_an_edited_a_missing_and_an_unlisted_schema_are_seen() -> None:
    files, released = schema_files(), released_checksums()
    edited = SchemaFile(files[0].path, files[0].record, 1, files[0].text + " ")
    assert "was edited" in next(release_faults((edited, *files[1:]), released))
    assert "is missing" in next(release_faults(files[1:], released))
    (fault,) = release_faults(files, dict(list(released.items())[1:]))
    assert "has no checksum" in fault


def test_checksum_is_of_the_bytes_of_the_file() -> None:
    text = schema_files()[0].text
    assert schema_files()[0].sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_versions_of_a_record_are_numbered_without_a_gap() -> None:
    for versions in versions_by_record(schema_files()).values():
        assert [file.version for file in versions] == list(range(1, len(versions) + 1))


def test_each_version_is_full_transitive_with_all_before() -> None:
    assert list(incompatible_versions(schema_files())) == []


def versions_by_record(files: tuple[SchemaFile, ...]) -> dict[str, list[SchemaFile]]:
    """The versions of every record, oldest first."""
    versions = defaultdict(list)
    for file in files:
        versions[file.record].append(file)
    return versions


def incompatible_versions(files: tuple[SchemaFile, ...]) -> Iterator[str]:
    """Every pair of versions of a record of which one cannot read the other."""
    for versions in versions_by_record(files).values():
        for older, newer in itertools.combinations(versions, 2):
            pairs = ((older, newer), (newer, older))
            if not all(reads(reader.text, writer.text) for reader, writer in pairs):
                yield f"{newer.path} breaks {older.path}"
            elif lost := lost_symbols(json.loads(older.text), json.loads(newer.text)):
                yield f"{newer.path} lost the symbols {lost}"


def reads(reader: str, writer: str) -> bool:
    """Whether Apache Avro says that `reader` reads all that `writer` writes."""
    checker: Any = ReaderWriterCompatibilityChecker
    result = checker().get_compatibility(parse(reader), parse(writer))
    return result.compatibility is SchemaCompatibilityType.compatible


def lost_symbols(older: Any, newer: Any) -> set[str]:
    """Enum symbols that only the older schema has.

    Avro allows it where there is a default, but old facts would then read as UNKNOWN.
    """
    return symbols_of(older) - symbols_of(newer)


def symbols_of(schema: Any) -> set[str]:
    """Every symbol of every enum, with the enum's name."""
    if isinstance(schema, list):
        return set().union(*map(symbols_of, schema))
    if not isinstance(schema, dict):
        return set()
    own = {f"{schema['name']}.{symbol}" for symbol in schema.get("symbols", ())}
    return own.union(*(symbols_of(part) for part in schema.values()))


Edit = Callable[[dict[str, Any]], None]


def next_version(edit: Edit) -> tuple[SchemaFile, SchemaFile]:
    """RunEnded and a next version of it, made by `edit`."""
    (first,) = [file for file in schema_files() if file.record == RunEnded.record]
    schema = json.loads(first.text)
    edit(schema)
    return first, SchemaFile("RunEnded.v2.avsc", first.record, 2, json.dumps(schema))


def add_field(**field: Any) -> Edit:
    return lambda schema: schema["fields"].append({"name": "added", **field})


def change_field(name: str, /, **change: Any) -> Edit:
    def edit(schema: dict[str, Any]) -> None:
        next(field for field in schema["fields"] if field["name"] == name).update(change)

    return edit


def remove_field(name: str) -> Edit:
    def edit(schema: dict[str, Any]) -> None:
        schema["fields"] = [field for field in schema["fields"] if field["name"] != name]

    return edit


def change_enum(**change: Any) -> Edit:
    def edit(schema: dict[str, Any]) -> None:
        field = next(field for field in schema["fields"] if field["name"] == "status")
        field["type"].update(change)

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(add_field(type="string", default=""), id="a field with a default"),
        pytest.param(add_field(type=["null", "long"], default=None), id="a field that may be null"),
        pytest.param(remove_field("detail"), id="without a field that had a default"),
        pytest.param(
            change_enum(symbols=["UNKNOWN", "FINISHED", "FAILED", "KILLED", "PAUSED"]),
            id="one more symbol",
        ),
        pytest.param(change_field("detail", doc="Other words."), id="another doc"),
    ],
)
def test_a_compatible_next_version_passes(edit: Edit) -> None:
    assert list(incompatible_versions(next_version(edit))) == []


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(add_field(type="string"), id="a field without a default"),
        pytest.param(remove_field("run_id"), id="without a field that had no default"),
        pytest.param(change_field("detail", type="long", default=0), id="another type"),
        pytest.param(change_field("occurred_at", type="double"), id="a wider type"),
        pytest.param(change_field("detail", type=["null", "string"]), id="null from now on"),
        pytest.param(change_field("run_id", name="run"), id="a renamed field"),
        pytest.param(change_enum(symbols=["UNKNOWN", "FINISHED", "KILLED"]), id="a lost symbol"),
        pytest.param(
            change_enum(symbols=["FINISHED", "NEW"], default="NEW"), id="another default symbol"
        ),
    ],
)
def test_a_breaking_next_version_fails(edit: Edit) -> None:
    assert len(list(incompatible_versions(next_version(edit)))) == 1


def test_a_third_version_is_checked_against_the_first() -> None:
    """Dropping a default in v2 and the field in v3 is fine step by step, but not for v1."""
    first, second = next_version(remove_field("detail"))
    third = json.loads(first.text)
    third["fields"][-1] = {"name": "detail", "type": "long", "default": 0}
    versions = (first, second, SchemaFile("RunEnded.v3.avsc", first.record, 3, json.dumps(third)))
    assert list(incompatible_versions(versions)) == [
        "RunEnded.v3.avsc breaks experiments/RunEnded.v1.avsc"
    ]
