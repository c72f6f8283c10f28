"""Answers where a sink stands in a partition, from the marks it left: a fold without I/O.

A mark is a row of `sink_marks`. A process that takes a partition over leaves a `claimed` mark;
each range of offsets gets a `prepared` mark before its first row is inserted and a `done` mark
after its last. Everything a restart has to know follows from the marks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """Who owns a partition: the highest claim does; `writer` breaks ties of `epoch`."""

    epoch: int
    writer: str


NOBODY = Claim(0, "")


@dataclass(frozen=True, slots=True)
class Range:
    """Offsets `first` up to, but without, `end`; some of them may hold no record."""

    first: int
    end: int


class State(StrEnum):
    """What a mark says."""

    CLAIMED = "claimed"
    PREPARED = "prepared"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Mark:
    """One step of a sink in one partition; a claim's range is empty."""

    claim: Claim
    state: State
    range: Range = Range(0, 0)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a sink stands: everything before `next_offset` is in the tables.

    `open` is the range that was prepared and not finished: part of it may be in the tables, so
    it has to come again with exactly these bounds.
    """

    next_offset: int = 0
    open: Range | None = None


def highest_claim(marks: Iterable[Mark]) -> Claim:
    """The claim that owns the partition."""
    return max((mark.claim for mark in marks), default=NOBODY)


def position_after(marks: Iterable[Mark]) -> Position:
    """Fold the marks of one partition, in any order and with repetitions, to a position."""
    next_offset = 0
    last: tuple[Claim, int, Range] | None = None
    for mark in marks:
        if mark.state is State.DONE:
            next_offset = max(next_offset, mark.range.end)
        elif mark.state is State.PREPARED:
            candidate = (mark.claim, mark.range.first, mark.range)
            last = candidate if last is None else max(last, candidate, key=lambda each: each[:2])
    if last is not None and last[2].end > next_offset:
        return Position(next_offset, last[2])
    return Position(next_offset)


def next_range(position: Position, available: int, *, limit: int | None = None) -> Range | None:
    """Cut the next range.

    Args:
        position: where the sink stands.
        available: the offset after the last record at hand.
        limit: no range but an open one reaches past this offset.

    Returns:
        The open range as soon as all of it is at hand, otherwise what is at hand; None: wait.
    """
    if position.open is not None:
        return position.open if available >= position.open.end else None
    end = available if limit is None else min(available, limit)
    return Range(position.next_offset, end) if end > position.next_offset else None


def after(done: Range) -> Position:
    """The position once `done` is finished."""
    return Position(done.end)


def insert_token(sink: str, table: str, topic_id: str, partition: int, of: Range, part: str) -> str:
    """The deduplication token of the rows that one range has in one part of one table.

    The token replaces ClickHouse's content hash, so it names everything the rows depend on: the
    bytes in Kafka, and where the rows go.
    """
    return f"{sink}/{table}/{topic_id}/{partition}/{of.first}-{of.end}/{part}"
