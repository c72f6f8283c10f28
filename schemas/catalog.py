"""Answers which Avro schemas exist: every version of every record, newest last."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_FILE = re.compile(r"(?P<record>\w+)\.v(?P<version>\d+)\.avsc")
RELEASED_FILE = "released.json"


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """One `.avsc`: `record` is the full Avro name, which is also its subject."""

    path: str
    record: str
    version: int
    text: str

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the file's text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@cache
def schema_files() -> tuple[SchemaFile, ...]:
    """Every `.avsc` of the package, sorted by record and version."""
    found = []
    for folder in (files(__package__) / "avro").iterdir():
        for entry in folder.iterdir():
            if match := _FILE.fullmatch(entry.name):
                text = entry.read_text(encoding="utf-8")
                found.append(
                    SchemaFile(
                        f"{folder.name}/{entry.name}",
                        full_name(json.loads(text)),
                        int(match["version"]),
                        text,
                    )
                )
    return tuple(sorted(found, key=lambda file: (file.record, file.version)))


@cache
def newest_schema(record: str) -> SchemaFile:
    """The newest version of `record`.

    Raises:
        KeyError: no such record.
    """
    versions = [file for file in schema_files() if file.record == record]
    if not versions:
        raise KeyError(record)
    return versions[-1]


def released_checksums() -> dict[str, str]:
    """Path to hex SHA-256 of every released schema; released files never change again."""
    checksums: dict[str, str] = json.loads((files(__package__) / RELEASED_FILE).read_text())
    return checksums


def example_of(file: SchemaFile) -> dict[str, Any]:
    """The example record of a schema as JSON: fixed and bytes values are hex strings."""
    name = f"{file.path.split('/')[0]}/{file.record.rpartition('.')[2]}.json"
    example: dict[str, Any] = json.loads((files(__package__) / "examples" / name).read_text())
    return example


def full_name(schema: Any) -> str:
    """The full name of a parsed record schema."""
    namespace = schema.get("namespace", "")
    return f"{namespace}.{schema['name']}" if namespace else str(schema["name"])


def without_logical_types(schema: Any) -> Any:
    """The same schema with timestamps as plain longs, so that readers hand out integers."""
    if isinstance(schema, dict):
        return {
            key: without_logical_types(value)
            for key, value in schema.items()
            if key not in ("logicalType", "doc")
        }
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    return schema
