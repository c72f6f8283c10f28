"""Gives facts long columns of numbers: as objects, these would take four times the room."""

from array import array
from collections.abc import Iterable
from typing import NewType

Longs = NewType("Longs", "array[int]")
"""Integers of 64 bits, in an array."""
Doubles = NewType("Doubles", "array[float]")
"""Doubles, in an array."""


def longs(values: Iterable[int] | bytes) -> Longs:
    """A column of these integers; bytes hold 8 of the machine's own for each."""
    return Longs(array("q", values))


def no_longs() -> Longs:
    """An empty column."""
    return longs(())


def doubles(values: Iterable[float] | bytes) -> Doubles:
    """A column of these doubles; bytes hold 8 of the machine's own for each."""
    return Doubles(array("d", values))
