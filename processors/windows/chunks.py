"""Cuts what is told of many series into chunks: each for one partition, and of a bounded size."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

T = TypeVar("T")

#: About the bytes of a chunk; one series may have more. Brokers take a megabyte.
MOST_BYTES = 1 << 17


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
