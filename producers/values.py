"""Answers which numbers and JSON documents may become part of a fact."""

import json
import math
from collections.abc import Mapping
from typing import Any

from modeltrail.schemas.errors import InvalidFact

# Kafka's default limit of a message is 1 MiB; the rest of the fact needs room as well.
LARGEST_JSON_BYTES = 900_000
LARGEST_LONG = 2**63 - 1


def finite(name: str, value: Any) -> float:
    """Give `value` as a float; ints, numpy scalars and everything else with `__float__` will do.

    Raises:
        InvalidFact: not a number, NaN, infinite, or an array.
    """
    if not hasattr(value, "__float__") or getattr(value, "ndim", 0) != 0:
        raise InvalidFact(f"{name[:80]!r} is a {type(value).__name__}: give one number")
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidFact(f"{name[:80]!r} is not a number: {error}") from error
    if not math.isfinite(number):
        raise InvalidFact(f"{name[:80]!r} is {number}: give a finite number or leave it out")
    return number


def whole(name: str, value: Any) -> int:
    """Give `value` as an int that a signed 64-bit field holds; numpy integers will do.

    Raises:
        InvalidFact: not a whole number, or beyond 64 bits.
    """
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        raise InvalidFact(f"{name} is {value!r:.80}: give a whole number") from None
    if not -LARGEST_LONG <= number <= LARGEST_LONG:
        raise InvalidFact(f"{name} does not fit 64 bits: give a smaller number")
    return int(number)


def natural(name: str, value: Any) -> int:
    """Give `value` as an int of 0 or more.

    Raises:
        InvalidFact: not a whole number, negative, or beyond 64 bits.
    """
    number = whole(name, value)
    if number < 0:
        raise InvalidFact(f"{name} is {number}: give 0 or more")
    return number


def to_json(what: str, value: Mapping[str, Any] | None) -> str:
    """The JSON object of `value`, keys sorted; numpy scalars and arrays become numbers and lists.

    Raises:
        InvalidFact: not a mapping, holds what JSON cannot (NaN and infinity included), or is
            larger than 900,000 bytes.
    """
    if value is None:
        return "{}"
    if not isinstance(value, Mapping):
        raise InvalidFact(f"{what} is a {type(value).__name__}: give a mapping")
    try:
        text = json.dumps(
            dict(value), allow_nan=False, sort_keys=True, ensure_ascii=False, default=_plain
        )
        size = len(text.encode())
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidFact(f"{what} is not JSON: {error}"[:500]) from error
    if size > LARGEST_JSON_BYTES:
        raise InvalidFact(
            f"{what} has {size:,} bytes of JSON: {LARGEST_JSON_BYTES:,} are allowed; "
            "keep large values in a file"
        )
    return text


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} has no JSON form")
