"""Cuts what is told of many series into chunks: each for one partition, and of a bounded size."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from modeltrail.processors.windows.columns import ACCURACY, ERROR
from modeltrail.processors.windows.series import Series
from modeltrail.schemas.measures import MEASURES

T = TypeVar("T")

#: About the bytes of a chunk; one series may have more. Brokers take a megabyte.
MOST_BYTES = 1 << 17

# How often a series was measured, how many metrics it has, and how long its names are, about.
_SERIES_BYTES = 20
# Any fact has them once at most, and they are short.
_WELL_KNOWN = frozenset((*MEASURES, ACCURACY, ERROR))


class Chunk(NamedTuple):
    """Its place among all of what is told at once, and the partition that is to hold it."""

    number: int
    partition: int


def chunked(items: Iterable[tuple[int, int, T]]) -> Iterator[tuple[Chunk, list[T]]]:
    """Items that follow each other, together as long as they are for one partition and few.

    Args:
        items: the partition that is to hold each, how many bytes it takes, and itself.
    """
    number = partition = held = 0
    together: list[T] = []
    for wanted, size, item in items:
        if together and (wanted != partition or held + size > MOST_BYTES):
            yield Chunk(number, partition), together
            number, held, together = number + 1, 0, []
        partition = wanted
        held += size
        together.append(item)
    if together:
        yield Chunk(number, partition), together


def bytes_of_series(series: Series) -> int:
    """About how many bytes it takes to say which series is meant: a name may have 4,000."""
    return _SERIES_BYTES + sum(len(name.encode()) for name in series)


def bytes_of_metric_names(names: Iterable[str]) -> int:
    """How many bytes the names of metrics take at most: a fact has each once for all series."""
    return sum(len(name.encode()) for name in names if name not in _WELL_KNOWN)
