"""Plays measurements again through the folds of the stream, under whatever rules, in memory.

The folds are those of the workers, and time comes from the log alone, so what follows is what
would have followed then. All series go through one partition of windows: which one a model has is
nothing to its windows or alerts.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace

import numpy as np

from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.processors.drift.fold import DriftFold
from modeltrail.processors.windows.merge import MergeFold
from modeltrail.processors.windows.partition import PartitionFold
from modeltrail.processors.windows.reading import Batch
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import DecodedBatch
from modeltrail.schemas.events import (
    DriftPolicySet,
    Fact,
    MeasurementSampled,
    PartitionAdvanced,
    ThresholdsSet,
)
from modeltrail.schemas.topics import WINDOWS

_PARTITION = 0


@dataclass(frozen=True, slots=True)
class Source:
    """One partition of the inference topic, as far as it is played.

    Attributes:
        batches: its records, in order.
        from_beginning: whether the first of them is the first that the partition ever had.
        samples: what was sampled before them for late ground truth, oldest first.
    """

    batches: Iterable[Batch]
    from_beginning: bool
    samples: Sequence[MeasurementSampled] = ()


def time_mark(offset: int, appended_ms: int) -> Batch:
    """A record that says nothing but that its partition's time came to `appended_ms`."""
    return Batch(np.array([offset]), np.array([appended_ms]), DecodedBatch({}, ()))


def under(
    drafts: Iterable[ThresholdsSet | DriftPolicySet], control: Iterable[Appended]
) -> list[Appended]:
    """The control facts if `drafts` had always held, in the place of what their models had."""
    drafts = tuple(drafts)
    named = {(type(draft), draft.model_id) for draft in drafts}
    kept = [
        record
        for record in control
        if not isinstance(record.fact, ThresholdsSet | DriftPolicySet)
        or (type(record.fact), record.fact.model_id) not in named
    ]
    return [*(Appended(_PARTITION, 0, 0, draft) for draft in drafts), *kept]


class Backtest:
    """The stages of the stream from measurements to alerts.

    Args:
        sources: every partition of the inference topic by its number.
        control: the rules and the registry that hold, complete.
        truth_sampling_rate: share of measurements, 0 to 1, kept for their ground truth.
        sample_capacity: how many of these are kept at most, a partition.
    """

    def __init__(
        self,
        sources: Mapping[int, Source],
        control: Sequence[Appended],
        truth_sampling_rate: float,
        sample_capacity: int,
    ) -> None:
        self._sources = sources
        self._measuring: dict[int, PartitionFold] = {}
        for partition, source in sources.items():
            fold = PartitionFold(
                partition,
                len(sources),
                truth_sampling_rate,
                sample_capacity,
                from_beginning=source.from_beginning,
            )
            fold.restore_samples(source.samples)
            self._measuring[partition] = fold
        self._judging = (
            MergeFold(_PARTITION),
            AlertFold(_PARTITION),
            DriftFold(_PARTITION),
        )
        for record in control:
            for measuring in self._measuring.values():
                measuring.absorb_control(record)
            for judging in self._judging:
                judging.absorb(record)
        # A log of windows that begins with offset 0 is known to have nothing before it.
        whole = all(source.from_beginning for source in sources.values())
        self._next_offset = 0 if whole else 1

    def run(self) -> Iterator[tuple[int, list[Fact]]]:
        """Play everything; the partition that is furthest behind goes first, so little waits.

        Yields:
            After each batch the append time, ms, that all partitions have come to, and the facts
            about windows and alerts that followed, in order.
        """
        playing = [
            (-1, partition, iter(source.batches)) for partition, source in self._sources.items()
        ]
        heapify(playing)
        while playing:
            _, partition, batches = playing[0]
            batch = next(batches, None)
            if batch is None:
                heappop(playing)
                continue
            reached_ms = int(batch.appended_ms[-1])
            heapreplace(playing, (reached_ms, partition, batches))
            yield playing[0][0], self._follow(self._measuring[partition].absorb(batch), reached_ms)

    def _follow(self, facts: Iterable[Fact], appended_ms: int) -> list[Fact]:
        """Append facts to the log of windows, and what follows from them behind them."""
        found: list[Fact] = []
        waiting = deque(facts)
        while waiting:
            fact = waiting.popleft()
            if isinstance(fact, PartitionAdvanced) and fact.partition != _PARTITION:
                continue
            found.append(fact)
            if not isinstance(fact, WINDOWS.facts):
                continue
            record = Appended(_PARTITION, self._next_offset, appended_ms, fact)
            self._next_offset += 1
            for fold in self._judging:
                waiting.extend(fold.absorb(record))
        return found
