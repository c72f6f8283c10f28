"""Writes bytes as hex digits wherever they stand in a column: JSON has no bytes."""

import polars as pl


def hexed_column(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The column with every binary value in it, however deep, as hex digits."""
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        return column.list.eval(_hexed_struct(pl.element(), dtype.inner))
    if isinstance(dtype, pl.Struct):
        return _hexed_struct(column, dtype)
    return column


def _hexed_struct(struct: pl.Expr, dtype: pl.Struct) -> pl.Expr:
    return pl.struct(
        hexed_column(struct.struct.field(field.name), field.dtype).alias(field.name)  # type: ignore[arg-type]
        for field in dtype.fields
    )
