"""Says in which order a sink reads and writes its marks and rows, so that each row lands once.

The two generators below yield steps; whoever drives them performs each step and sends its answer
back. Nothing here does I/O, so a test can stop at every step and interleave any writers.

Why every row lands exactly once:

1. A range is prepared before its first row is inserted, and its rows are inserted under tokens
   that name the range. Whoever finds a prepared range that is not done inserts precisely that
   range again, and ClickHouse drops what it has already.
2. Two processes may believe that they own a partition: one was stopped or cut off, and another
   took over (a zombie and its successor). The successor writes its claim and *then* reads the
   marks. The zombie writes its prepared mark and *then* reads the claims. ClickHouse acknowledges
   a write only when the next read sees it, so of the two at least one sees the other's write:
   - the zombie sees the higher claim: it stops before it inserts a row of that range; or
   - the successor sees the prepared mark: it inserts that very range, under the same tokens,
     before it cuts a range of its own. Whatever the zombie still inserts is dropped as known, or
     is what the successor's insert is dropped for.
   A zombie that stopped leaves a prepared mark that nobody inserted. It is below the successor's
   claim and therefore hidden by the first range that the successor prepares; until then a third
   process may adopt it, which is as good as any other range, since no row of it exists.
3. Claims never tie: a writer's random id breaks equal epochs.
4. What the rows depend on besides the bytes (the codec's schemas, declared metrics as of append
   time) does not change, so the same range always has the same rows.

Tokens are remembered for the last 10,000 inserts into a table. So that a writer that slept or was
cut off for longer than that cannot insert under a forgotten token, claims are read anew before
every attempt at an insert as soon as the last reading is stale; a pause inside a single attempt is
bounded by socket timeouts.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from modeltrail.sinks.projector.fold import (
    Claim,
    Mark,
    Position,
    Range,
    State,
    highest_claim,
    position_after,
)

Key = TypeVar("Key")
Rows = TypeVar("Rows")


@dataclass(frozen=True, slots=True)
class ReadMarks(Generic[Key]):
    """Read the marks of some partitions; the answer maps each to its marks, empty for none."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class WriteMarks(Generic[Key]):
    """Write one mark for each of some partitions, in one insert."""

    marks: Mapping[Key, Mark]


@dataclass(frozen=True, slots=True)
class Insert(Generic[Key, Rows]):
    """Insert all rows of a range, publish its dead letters; the answer: whether all are in."""

    key: Key
    range: Range
    rows: Rows


Step = ReadMarks[Key] | WriteMarks[Key] | Insert[Key, Rows]
Answer = Mapping[Key, Sequence[Mark]] | bool | None


def take_over(
    keys: Sequence[Key], writer: str
) -> Generator[Step[Key, Rows], Answer[Key], dict[Key, tuple[Claim, Position]]]:
    """Claim partitions for `writer` and learn where each stands.

    Returns:
        Claim and position of each; without those that somebody claimed higher meanwhile.
    """
    before = yield from _marks(keys)
    claims = {key: Claim(highest_claim(before[key]).epoch + 1, writer) for key in keys}
    yield WriteMarks({key: Mark(claim, State.CLAIMED) for key, claim in claims.items()})
    marks = yield from _marks(keys)
    return {
        key: (claim, position_after(marks[key]))
        for key, claim in claims.items()
        if highest_claim(marks[key]) == claim
    }


def write(
    ranges: Mapping[Key, tuple[Claim, Range, Rows]], is_stale: Callable[[], bool]
) -> Generator[Step[Key, Rows], Answer[Key], set[Key]]:
    """Bring one range of each of some partitions into the tables.

    Args:
        ranges: claim, range and rows of each.
        is_stale: whether claims were read too long ago to insert without reading them again.

    Returns:
        The partitions that somebody else owns by now: their ranges are the owner's to finish.
    """
    yield WriteMarks(
        {key: Mark(claim, State.PREPARED, of) for key, (claim, of, _) in ranges.items()}
    )
    lost = yield from _lost(ranges)
    for key, (_, of, rows) in ranges.items():
        inserted: Answer[Key] = False
        while key not in lost and not inserted:
            if is_stale():
                lost |= yield from _lost(ranges)
            else:
                inserted = yield Insert(key, of, rows)
    done = {
        key: Mark(claim, State.DONE, of)
        for key, (claim, of, _) in ranges.items()
        if key not in lost
    }
    if done:
        yield WriteMarks(done)
    return lost


def _lost(
    ranges: Mapping[Key, tuple[Claim, Range, Rows]],
) -> Generator[Step[Key, Rows], Answer[Key], set[Key]]:
    marks = yield from _marks(tuple(ranges))
    return {key for key, (claim, _, _) in ranges.items() if highest_claim(marks[key]) > claim}


def _marks(
    keys: Sequence[Key],
) -> Generator[Step[Key, Rows], Answer[Key], Mapping[Key, Sequence[Mark]]]:
    marks = yield ReadMarks(tuple(keys))
    assert isinstance(marks, Mapping)
    return marks
