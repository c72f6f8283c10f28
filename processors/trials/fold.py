"""Folds the measurements of a trial in one partition into the sessions that have counted.

A session in an arm counts once, with the mean over its first measurements by offset; what it
measures later changes nothing. Everything is added up in the order of the log, so where a fetch
ends makes no difference.

Which sessions began is told for the test of the sample ratio, so it must not depend on how fast a
node took the candidate up. A session is counted there if it began after the first measurement of
the candidate on its node, in the arm that it began in: what comes after that one falls into the
arms by the share alone.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CHAMPION_ARM, CANDIDATE_ARM = 0, 1
_NEVER = np.iinfo(np.int64).max
_GROWTH = 2


@dataclass(frozen=True, slots=True)
class Rows:
    """Measurements of a trial in the order of the log, one column each.

    Attributes:
        offsets: where each is.
        sessions: code of its session, numbered from 0 in any order.
        nodes: code of its node, numbered from 0 in any order.
        arms: CHAMPION_ARM or CANDIDATE_ARM.
        captured_us: when it was captured.
        values: shape (metrics, rows); NaN where it has none.
    """

    offsets: Integers
    sessions: Integers
    nodes: Integers
    arms: Integers
    captured_us: Integers
    values: Floats


class Complete(NamedTuple):
    """A session that has counted: its code, its node's, arm, newest capture (us), means."""

    session: int
    node: int
    arm: int
    captured_us: int
    means: tuple[float | None, ...]


class SessionsFold:
    """The sessions of a trial in one partition; sessions in an arm are numbered 2 session + arm."""

    def __init__(self, metrics: int, frames_per_session: int) -> None:
        self._frames_needed = frames_per_session
        self._frames = np.zeros(0, dtype=np.int64)
        self._newest_us = np.zeros(0, dtype=np.int64)
        self._sums = np.zeros((metrics, 0))
        self._counts = np.zeros((metrics, 0), dtype=np.int64)
        self._seen = np.zeros(0, dtype=np.bool_)
        self._candidate_since = np.zeros(0, dtype=np.int64)
        self._begun = np.zeros(2, dtype=np.int64)

    @property
    def begun(self) -> tuple[int, int]:
        """Sessions of the champion and of the candidate that began so far."""
        return int(self._begun[CHAMPION_ARM]), int(self._begun[CANDIDATE_ARM])

    def absorb(self, rows: Rows) -> list[Complete]:
        """Take the next rows in; the sessions that have counted with them, in their order."""
        if not len(rows.offsets):
            return []
        self._make_room(int(rows.sessions.max()) + 1, int(rows.nodes.max()) + 1)
        self._begin(rows)
        keys = 2 * rows.sessions + rows.arms
        ranks = self._frames[keys] + _earlier_alike(keys)
        first = np.flatnonzero(ranks < self._frames_needed)
        keys, values = keys[first], rows.values[:, first]
        # One after the other: sums of parts of a fetch would be rounded otherwise.
        np.add.at(self._frames, keys, 1)
        np.maximum.at(self._newest_us, keys, rows.captured_us[first])
        for metric, column in enumerate(values):
            there = ~np.isnan(column)
            np.add.at(self._sums[metric], keys[there], column[there])
            np.add.at(self._counts[metric], keys[there], 1)
        last = ranks[first] == self._frames_needed - 1
        nodes = rows.nodes[first][last]
        return [
            self._complete(int(key), int(node)) for key, node in zip(keys[last], nodes, strict=True)
        ]

    def _complete(self, key: int, node: int) -> Complete:
        means = tuple(
            float(total / count) if count else None
            for total, count in zip(self._sums[:, key], self._counts[:, key], strict=True)
        )
        return Complete(key // 2, node, key % 2, int(self._newest_us[key]), means)

    def _begin(self, rows: Rows) -> None:
        candidate = rows.arms == CANDIDATE_ARM
        np.minimum.at(self._candidate_since, rows.nodes[candidate], rows.offsets[candidate])
        sessions, first = np.unique(rows.sessions, return_index=True)
        new = first[~self._seen[sessions]]
        self._seen[sessions] = True
        counted = new[rows.offsets[new] > self._candidate_since[rows.nodes[new]]]
        self._begun += np.bincount(rows.arms[counted], minlength=2)

    def _make_room(self, sessions: int, nodes: int) -> None:
        if (more := sessions - len(self._seen)) > 0:
            more = max(more, len(self._seen) * (_GROWTH - 1))
            self._seen = np.pad(self._seen, (0, more))
            self._frames = np.pad(self._frames, (0, 2 * more))
            self._newest_us = np.pad(self._newest_us, (0, 2 * more))
            self._sums = np.pad(self._sums, ((0, 0), (0, 2 * more)))
            self._counts = np.pad(self._counts, ((0, 0), (0, 2 * more)))
        if (more := nodes - len(self._candidate_since)) > 0:
            self._candidate_since = np.pad(self._candidate_since, (0, more), constant_values=_NEVER)


def _earlier_alike(keys: Integers) -> Integers:
    """How many rows before each have its key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[order] = np.arange(len(keys)) - np.repeat(starts, lengths)
    return ranks
