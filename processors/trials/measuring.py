"""Measures the trials that are open: begins and ends them, and publishes what has counted.

Nothing is kept: a worker that starts reads each open trial from its start on and publishes its
sessions again, which changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from modeltrail.infra.clock import Clock
from modeltrail.processors.trials.cursor import Record
from modeltrail.processors.trials.partition import TrialPartition
from modeltrail.processors.trials.reading import Fetch
from modeltrail.processors.trials.trial import OpenTrials, Step, Trial
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import DecodedBatch
from modeltrail.schemas.events import SessionsMeasured

#: Records of a fetch, and how often there are news, s.
FETCH = 10_000
NEWS_S = 1.0


class Measurements(Protocol):
    """The inference topic from the start of a trial on."""

    def fetch(self, most: int, wait_s: float) -> dict[int, list[Record]]:
        """The next records by partition: once there are `most`, or those that came in `wait_s`."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What the measuring asks of the world; the calls may block, and raise when it is to stop.

    Attributes:
        open_measurements: gives the inference topic from an append time (ms) on.
        decode: decodes the values of a fetch.
        publish: appends facts; they are acknowledged when it returns.
        clock: says when news are due.
    """

    open_measurements: Callable[[int], Measurements]
    decode: Callable[[Sequence[bytes | None]], DecodedBatch]
    publish: Callable[[Sequence[SessionsMeasured]], None]
    clock: Clock


class TrialsMeasuring:
    """Every open trial; one thread uses it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open = OpenTrials()
        self._running: dict[Step, _RunningTrial] = {}

    def absorb(self, records: Iterable[Appended]) -> None:
        """Take facts of `deployments` in, each partition in its order."""
        for record in records:
            self._open.absorb(record)

    def idle(self) -> bool:
        """Whether no trial is open."""
        return not self._open.trials()

    def turn(self, wait_s: float) -> None:
        """Read a fetch of each open trial, waiting `wait_s` in all, and publish what is due.

        Those that have ended are let go; without an open one it returns at once.
        """
        trials = self._open.trials()
        for step in self._running.keys() - trials.keys():
            self._running.pop(step).close()
        for step, trial in trials.items():
            if step not in self._running:
                self._running[step] = _RunningTrial(trial, self._world)
            self._running[step].turn(wait_s / len(trials))

    def close(self) -> None:
        """Let everything go."""
        while self._running:
            self._running.popitem()[1].close()


class _RunningTrial:
    """One trial in all partitions."""

    def __init__(self, trial: Trial, world: World) -> None:
        self._trial = trial
        self._world = world
        self._partitions: dict[int, TrialPartition] = {}
        self._measurements = world.open_measurements(trial.since_ms)
        self._told_s = world.clock.monotonic()

    def turn(self, wait_s: float) -> None:
        fetched = self._measurements.fetch(FETCH, wait_s)
        for partition, records in sorted(fetched.items()):
            mine = self._partitions.setdefault(partition, TrialPartition(self._trial, partition))
            mine.absorb(self._decoded(records))
        behind = sum(map(len, fetched.values())) >= FETCH
        now_s = self._world.clock.monotonic()
        # What lies far behind is read first: its news would be many.
        if behind and now_s < self._told_s + NEWS_S:
            return
        self._told_s = now_s
        news = [fact for _, mine in sorted(self._partitions.items()) for fact in mine.news()]
        if news:
            self._world.publish(news)

    def close(self) -> None:
        self._measurements.close()

    def _decoded(self, records: Sequence[Record]) -> Fetch:
        return Fetch(
            np.array([record.offset for record in records], dtype=np.int64),
            np.array([record.appended_ms for record in records], dtype=np.int64),
            self._world.decode([record.value for record in records]),
        )
