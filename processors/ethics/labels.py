"""Turns columns of any type into labels and numbers, the same whatever type a file gave them."""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.events import AssessmentRefusal

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MISSING = -1
_LONGEST_LABEL = 200
_TRUTHS = {"true": "1", "false": "0"}


def label_of(value: Any) -> str | None:
    """The label that a value is written as: 1, 1.0, "1" and true are the same one.

    None: it is missing.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = str(value).strip()
    if not text:
        return None
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    try:
        number = float(text)
    except ValueError:
        return text[:_LONGEST_LABEL]
    if math.isnan(number):
        return None
    if number.is_integer() and abs(number) < 2**53:
        return str(int(number))
    return repr(number)


class Labels:
    """The labels met so far in one column, or in two that share them; each has a code."""

    def __init__(self, name: str, most: int, edges: Sequence[float] = ()) -> None:
        """Prepare.

        Args:
            name: of the column.
            most: labels that it may have.
            edges: rising; they cut a column of numbers into ranges, which are its labels then.
        """
        self._name = name
        self._most = most
        self._edges = np.asarray(edges, dtype=np.float64)
        self._codes: dict[str, int] = {}
        if edges:
            self._codes = {label: code for code, label in enumerate(_ranges(edges))}

    @property
    def names(self) -> list[str]:
        """Label by code."""
        return list(self._codes)

    @property
    def are_ranges(self) -> bool:
        """Whether the labels are ranges of numbers, whose codes rise."""
        return len(self._edges) > 0

    def code(self, label: str) -> int:
        """The code of a label, which need not have been met."""
        return self._codes.setdefault(label, len(self._codes))

    def codes(self, column: pa.Array) -> Codes:
        """The code of each row, -1 where the value is missing.

        Raises:
            Refused: the column has more labels than allowed.
        """
        if len(self._edges):
            values = numbers(column)
            found = np.searchsorted(self._edges, values, side="right")
            return np.where(np.isnan(values), MISSING, found).astype(np.int64)
        encoded = distinct(column)
        if len(encoded.dictionary) > 4 * self._most:
            self._refuse(len(encoded.dictionary))
        of_dictionary = np.array(
            [*(self._code_of(value) for value in encoded.dictionary.to_pylist()), MISSING]
        )
        if len(self._codes) > self._most:
            self._refuse(len(self._codes))
        places = encoded.indices.fill_null(len(of_dictionary) - 1).to_numpy(zero_copy_only=False)
        taken: Codes = of_dictionary[places].astype(np.int64)
        return taken

    def _code_of(self, value: Any) -> int:
        label = label_of(value)
        return MISSING if label is None else self.code(label)

    def _refuse(self, count: int) -> None:
        raise Refused(
            AssessmentRefusal.TOO_LARGE,
            f"column {self._name} has {count:,} labels or more, {self._most:,} are allowed: "
            f"cut it into ranges with `cuts: {{{self._name}: […]}}`, or name another column",
        )


def numbers(column: pa.Array) -> Floats:
    """A column as float64; NaN where a value is missing or is no finite number."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        values = _parsed(column)
    elif pa.types.is_decimal(column.type) or _is_number(column.type):
        cast = column.cast(pa.float64(), safe=False)
        values = cast.to_numpy(zero_copy_only=False).astype(np.float64)
    else:
        values = np.full(len(column), np.nan)
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)


def hashes_of(column: pa.Array, edges: Sequence[float]) -> Codes:
    """A hash of each row's label, or its range where there are edges; -1 where it is missing."""
    if edges:
        return Labels("", len(edges) + 1, edges).codes(column)
    encoded = distinct(column)
    of_dictionary = np.array(
        [*(_hashed(value) for value in encoded.dictionary.to_pylist()), MISSING], np.int64
    )
    places = encoded.indices.fill_null(len(of_dictionary) - 1).to_numpy(zero_copy_only=False)
    taken: Codes = of_dictionary[places]
    return taken


def distinct(column: pa.Array) -> pa.DictionaryArray:
    """A column as its distinct values and their places.

    Raises:
        Refused: it holds lists or records, which are no labels.
    """
    try:
        return column.dictionary_encode()
    except pa.ArrowNotImplementedError as error:
        raise Refused(
            AssessmentRefusal.DATA_UNREADABLE,
            f"a column that holds labels has the type {column.type}: give single values",
        ) from error


def texts(column: pa.Array) -> list[str]:
    """Each row's label; what is missing is empty."""
    return [label_of(value) or "" for value in column.to_pylist()]


def _parsed(column: pa.Array) -> Floats:
    try:
        return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowInvalid:
        # Some value is a word: then value by value.
        return np.array([_number(value) for value in column.to_pylist()], np.float64)


def _number(value: Any) -> float:
    label = label_of(value)
    try:
        return math.nan if label is None else float(label)
    except ValueError:
        return math.nan


def _hashed(value: Any) -> int:
    label = label_of(value)
    if label is None:
        return MISSING
    digest = hashlib.blake2b(label.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _ranges(edges: Sequence[float]) -> list[str]:
    inner = [f"{low:g} up to {high:g}" for low, high in zip(edges, list(edges)[1:], strict=False)]
    return [f"under {edges[0]:g}", *inner, f"{edges[-1]:g} and more"]
