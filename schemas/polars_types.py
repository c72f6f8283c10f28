"""Answers which polars column an Avro field becomes, and what an absent or blank field holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

_PLAIN: Mapping[str, tuple[Any, Any]] = {
    "string": (pl.String, ""),
    "bytes": (pl.Binary, b""),
    "double": (pl.Float64, 0.0),
    "float": (pl.Float32, 0.0),
    "long": (pl.Int64, 0),
    "int": (pl.Int32, 0),
    "boolean": (pl.Boolean, False),
}


@dataclass(frozen=True, slots=True)
class Column:
    """The dtype of a reader field and the value of rows whose writer did not have it."""

    dtype: pl.DataType
    default: Any


def columns_of(schema: Any) -> dict[str, Column]:
    """The columns of a parsed record schema, in field order."""
    return {
        field["name"]: Column(dtype_of(field["type"]), field.get("default"))
        for field in schema["fields"]
    }


def dtype_of(kind: Any) -> pl.DataType:
    """The polars dtype of an Avro type.

    Raises:
        TypeError: maps, unions of three and named references, which polars does not read.
    """
    if isinstance(kind, list):
        return dtype_of(_not_null(kind))
    name = kind["type"] if isinstance(kind, dict) else kind
    if name == "array":
        return pl.List(dtype_of(kind["items"]))
    if name == "record":
        return pl.Struct({field["name"]: dtype_of(field["type"]) for field in kind["fields"]})
    if name == "enum":
        return pl.String()
    if name == "fixed":
        return pl.Binary()
    if name in _PLAIN:
        dtype: pl.DataType = _PLAIN[name][0]()
        return dtype
    raise TypeError(f"polars reads no {kind}: use another Avro type")


def blank_value(kind: Any) -> Any:
    """The emptiest value of an Avro type: zero, empty, null where it may be."""
    if isinstance(kind, list):
        return None if "null" in kind else blank_value(kind[0])
    name = kind["type"] if isinstance(kind, dict) else kind
    if name == "array":
        return []
    if name == "record":
        return {field["name"]: blank_value(field["type"]) for field in kind["fields"]}
    if name == "enum":
        return kind["symbols"][0]
    if name == "fixed":
        return bytes(kind["size"])
    return _PLAIN[name][1]


def _not_null(union: list[Any]) -> Any:
    kinds = [kind for kind in union if kind != "null"]
    if len(kinds) != 1:
        raise TypeError(f"polars reads no union of {union}: use null and one type")
    return kinds[0]
