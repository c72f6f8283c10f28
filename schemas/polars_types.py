"""Answers which polars column an Avro field becomes, and which value of a type is the emptiest."""

from collections.abc import Mapping
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


def columns_of(schema: Any) -> dict[str, pl.DataType]:
    """The columns of a parsed record schema and their dtypes, in field order.

    Raises:
        TypeError: see `dtype_of`.
    """
    return {field["name"]: dtype_of(field["type"]) for field in schema["fields"]}


def dtype_of(kind: Any) -> pl.DataType:
    """The polars dtype of an Avro type.

    Raises:
        TypeError: maps, unions of three and named references, which polars does not read.
    """
    kind, _ = split_nullable(kind)
    name = kind["type"] if isinstance(kind, dict) else kind
    if name == "array":
        return pl.List(dtype_of(kind["items"]))
    if name == "record":
        return pl.Struct(columns_of(kind))
    if name == "enum":
        return pl.String()
    if name == "fixed":
        return pl.Binary()
    if name in _PLAIN:
        dtype: pl.DataType = _PLAIN[name][0]()
        return dtype
    raise TypeError(f"polars reads no {kind}: use another Avro type")


def split_nullable(kind: Any) -> tuple[Any, bool]:
    """The type without null, and whether null was in it.

    Raises:
        TypeError: a union of anything but null and one type.
    """
    if not isinstance(kind, list):
        return kind, False
    inner = [part for part in kind if part != "null"]
    if len(inner) != 1:
        raise TypeError(f"polars reads no union of {kind}: use null and one type")
    return inner[0], len(kind) > 1


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
