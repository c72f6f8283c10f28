"""Turns polars columns into the arrays that clickhouse-driver writes fastest.

Measured per row, 50,000 rows, one core: numbers 5 ns, nullable numbers 60 ns, a repeating string as
object array 130 ns (60 ns where equal strings are one object), an empty array 130 ns, a UUID
1,700 ns, its 16 bytes as FixedString 55 ns. So columns without any value are left out (the table's
default is the same), repeating strings share their objects, and ids are bytes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[Any]


def of_frame(frame: pl.DataFrame) -> dict[str, Array]:
    """Every column that holds a value: strings as repeating ones, bytes as distinct ones."""
    found = {series.name: _by_dtype(series) for series in frame}
    return {name: values for name, values in found.items() if values is not None}


def numbers(series: pl.Series) -> Array | None:
    """A numeric column; None where every value is null."""
    nulls = series.null_count()
    if nulls == 0:
        return series.to_numpy()
    if nulls == len(series):
        return None
    values = series.fill_null(0).to_numpy().astype(object)
    values[series.is_null().to_numpy()] = None
    return values


def repeating_strings(series: pl.Series) -> Array:
    """A column of few distinct strings, as bytes objects shared between equal rows."""
    distinct = series.unique(maintain_order=True)
    if len(distinct) == 1:
        return constant(distinct[0].encode(), len(series))
    texts = np.array([text.encode() for text in distinct], dtype=object)
    codes = series.cast(pl.Enum(distinct)).to_physical().to_numpy()
    taken: Array = texts[codes]
    return taken


def repeating_digests(series: pl.Series) -> Array:
    """A column of few distinct byte strings, as hex digits."""
    distinct = series.unique(maintain_order=True)
    if len(distinct) == 1:
        return constant(distinct[0].hex().encode(), len(series))
    return repeating_strings(series.bin.encode("hex"))


def byte_strings(series: pl.Series) -> Array:
    """A column of mostly distinct byte strings."""
    return np.array(series.to_list(), dtype=object)


def lists(series: pl.Series) -> Array | None:
    """A column of lists; None where every list is empty."""
    if series.list.len().sum() == 0:
        return None
    rows = np.empty(len(series), dtype=object)
    rows[:] = series.to_list()
    return rows


def text_lists(series: pl.Series) -> Array | None:
    """A column of lists of strings, as bytes; None where every list is empty."""
    return lists(series.cast(pl.List(pl.Binary)))


def constant(value: object, length: int) -> Array:
    """The same object in every row."""
    return np.full(length, value, dtype=object)


def _by_dtype(series: pl.Series) -> Array | None:
    if series.dtype == pl.String:
        return repeating_strings(series)
    if series.dtype == pl.Binary:
        return byte_strings(series)
    if series.dtype == pl.List(pl.String):
        return text_lists(series)
    return lists(series) if series.dtype == pl.List else numbers(series)
