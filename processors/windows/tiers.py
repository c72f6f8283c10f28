"""Keeps the last hour in buckets of 10 s, 1 min and 5 min, and adds them up to windows.

A window is made of the buckets of one tier: 1 min of 10 s, 5 min of minutes, 1 h of 5 min. So a
window of an hour is the sum of 12 tables, and the memory is that of 6 + 5 + 12 tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modeltrail.processors.windows.sketches import NONE, AnyIntegers, Sketches, merged, replaced

BUCKET_S = 10


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of window: it is as long as `length_s` and made of buckets of `bucket_s`.

    One ends whenever a bucket does.
    """

    name: str
    length_s: int
    bucket_s: int


KINDS = (
    Kind("10s", 10, BUCKET_S),
    Kind("1m", 60, BUCKET_S),
    Kind("5m", 300, 60),
    Kind("1h", 3600, 300),
)


@dataclass(frozen=True, slots=True)
class Window:
    """A window from `start_s` up to, but without, `end_s`, and all that it holds."""

    kind: Kind
    start_s: int
    end_s: int
    table: Sketches


class Tiers:
    """The tables of the last hour; each tier begins with the windows of the one below."""

    def __init__(self) -> None:
        # Bucket length to bucket start to content.
        self._tiers: dict[int, dict[int, Sketches]] = {kind.bucket_s: {} for kind in KINDS}

    def close(self, end_s: int, bucket: Sketches) -> list[Window]:
        """Add the bucket of 10 s that ends at `end_s`; give the windows that end with it."""
        self._forget_before(end_s)
        self._tiers[BUCKET_S][end_s - BUCKET_S] = bucket
        return self._windows(end_s, None)

    def amend(self, end_s: int, rows: AnyIntegers, bucket: Sketches) -> list[Window]:
        """Replace `rows` in the bucket that ends at `end_s`, the newest one.

        Gives the windows that end with it, of these rows only.
        """
        buckets = self._tiers[BUCKET_S]
        start_s = end_s - BUCKET_S
        buckets[start_s] = replaced(buckets.get(start_s, NONE), rows, bucket)
        return self._windows(end_s, rows)

    def bucket(self, end_s: int) -> Sketches:
        """The bucket of 10 s that ends at `end_s`."""
        return self._tiers[BUCKET_S].get(end_s - BUCKET_S, NONE)

    def tables(self) -> list[Sketches]:
        """Every table that is kept."""
        return [table for tier in self._tiers.values() for table in tier.values()]

    def _windows(self, end_s: int, rows: AnyIntegers | None) -> list[Window]:
        windows = []
        for kind in KINDS:
            if end_s % kind.bucket_s:
                continue
            start_s = end_s - kind.length_s
            tables = self._between(kind.bucket_s, start_s, end_s)
            table = merged(tables if rows is None else _only(tables, rows))
            windows.append(Window(kind, start_s, end_s, table))
            tier = self._tiers.get(kind.length_s)
            if kind.length_s != BUCKET_S and tier is not None and end_s % kind.length_s == 0:
                before = tier.get(start_s, NONE)
                tier[start_s] = table if rows is None else replaced(before, rows, table)
        return windows

    def _between(self, bucket_s: int, start_s: int, end_s: int) -> list[Sketches]:
        tier = self._tiers[bucket_s]
        return [table for start, table in tier.items() if start_s <= start < end_s]

    def _forget_before(self, end_s: int) -> None:
        for kind in KINDS:
            tier = self._tiers[kind.bucket_s]
            oldest_s = end_s - max(
                other.length_s for other in KINDS if other.bucket_s == kind.bucket_s
            )
            # A window of an hour ends every 5 min: until then its oldest bucket is needed no more.
            for start in [start for start in tier if start < oldest_s]:
                del tier[start]


def _only(tables: Sequence[Sketches], rows: AnyIntegers) -> list[Sketches]:
    return [table.where(np.isin(table.rows, rows)) for table in tables]
