"""Answers how columns of a writer's schema become columns of the reader's, as Avro resolves them.

Source: Avro 1.12 specification, "Schema Resolution". What columns cannot express (a record in a
record that changed, aliases) is left to the record-by-record decoder.
"""

from typing import Any

import polars as pl

from modeltrail.schemas.polars_types import dtype_of, split_nullable

_PROMOTIONS = {
    ("int", "long"),
    ("int", "float"),
    ("int", "double"),
    ("long", "float"),
    ("long", "double"),
    ("float", "double"),
}


class NotColumnwise(Exception):
    """The two schemas do not resolve column by column."""


def reader_columns(writer: Any, reader: Any) -> list[pl.Expr]:
    """The reader's columns, in its order, from a frame with the writer's.

    Args:
        writer: parsed record schema that wrote the rows.
        reader: parsed record schema to resolve to.

    Raises:
        NotColumnwise: they need the record-by-record decoder, which may refuse them.
    """
    written = {field["name"]: field["type"] for field in writer["fields"]}
    return [
        _resolved(field, written[field["name"]]) if field["name"] in written else _default(field)
        for field in reader["fields"]
    ]


def _resolved(field: Any, written: Any) -> pl.Expr:
    name, dtype = field["name"], dtype_of(field["type"])
    to, to_nullable = split_nullable(field["type"])
    was, was_nullable = split_nullable(written)
    if was_nullable and not to_nullable:
        raise NotColumnwise(f"{name} may be null no more")
    if was == to or _is_promoted(was, to):
        return pl.col(name).cast(dtype)
    if _is_enum(was) and _is_enum(to) and was["name"] == to["name"] and "default" in to:
        symbol = pl.col(name).cast(pl.String)
        known = symbol.is_null() | symbol.is_in(to["symbols"])
        return pl.when(known).then(symbol).otherwise(pl.lit(to["default"])).alias(name)
    raise NotColumnwise(f"{name} changed its type")


def _is_promoted(was: Any, to: Any) -> bool:
    return isinstance(was, str) and isinstance(to, str) and (was, to) in _PROMOTIONS


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, dict) and kind["type"] == "enum"


def _default(field: Any) -> pl.Expr:
    if "default" not in field:
        raise NotColumnwise(f"{field['name']} was not written and has no default")
    default = field["default"]
    if isinstance(default, dict) or (isinstance(default, list) and default):
        raise NotColumnwise(f"{field['name']} was not written and its default is nested")
    return pl.lit(default, dtype=dtype_of(field["type"])).alias(field["name"])
