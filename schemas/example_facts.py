"""Gives the example of each kind of fact as the typed event that it stands for."""

import json
from typing import Any, TypeVar

from modeltrail.schemas.catalog import example_of, newest_schema
from modeltrail.schemas.conversion import fact_from_record
from modeltrail.schemas.events import Fact
from modeltrail.schemas.facts import FACTS

T = TypeVar("T", bound=Fact)


def example_fact(kind: type[T]) -> T:
    """The example of `kind`."""
    file = newest_schema(kind.record)
    return fact_from_record(kind, _from_json(json.loads(file.text), example_of(file)))


def example_facts() -> tuple[Fact, ...]:
    """One example of every kind, in the order of `FACTS`."""
    return tuple(example_fact(kind) for kind in FACTS)


def _from_json(schema: Any, value: Any) -> Any:
    if isinstance(schema, list):
        inner = next(part for part in schema if part != "null")
        return None if value is None else _from_json(inner, value)
    name = schema["type"] if isinstance(schema, dict) else schema
    if name in ("fixed", "bytes"):
        return bytes.fromhex(value)
    if name == "array":
        return [_from_json(schema["items"], item) for item in value]
    if name == "record":
        return {
            field["name"]: _from_json(field["type"], value[field["name"]])
            for field in schema["fields"]
        }
    return value
