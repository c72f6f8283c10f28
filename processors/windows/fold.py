"""Folds one partition of measurements into what its windows hold, step by step of its time.

Time is the append time of the records alone, so the same records give the same facts, however they
are cut into fetches and however often they are read. At each cut, in this order: the content of the
bucket that ended 1 s before, as decided; that of the bucket before it, for the series of which
something came late; the newest measurements; and to every partition of `windows` that this
partition has advanced. What is about single records comes as soon as they are read, and the newest
measurements of a step also whenever it has taken many.

Nothing is stored: a fold that begins in the middle reads again what the next cut depends on, and
says nothing of the steps of which it may not have read all.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

import numpy as np

from modeltrail.processors.windows.breaches import ValueRules
from modeltrail.processors.windows.columns import (
    ACCURACY,
    ERROR,
    Columns,
    Extras,
    Floats,
    Integers,
    Rows,
)
from modeltrail.processors.windows.cuts import (
    Bucket,
    Counts,
    Place,
    advanced,
    decided_partials,
    final_partials,
    newest_measured,
)
from modeltrail.processors.windows.kept import Kept, kept
from modeltrail.processors.windows.moments import (
    BUCKET_MS,
    BUCKET_US,
    REACH_MS,
    Rewind,
    cut_ms,
    late,
    step_of,
)
from modeltrail.processors.windows.recent import Recent
from modeltrail.processors.windows.singles import (
    AtOffset,
    JudgedTruth,
    breaches_by,
    breaches_by_truths,
    samples_of,
)
from modeltrail.processors.windows.truths import Samples
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import Fact, MeasurementSampled
from modeltrail.schemas.sketch import RANGE_LIMIT

#: After so many measurements of a step the newest are told, and again at its cut.
TOLD_ROWS = 1 << 17


class WindowsFold:
    """The windows of one partition of the inference topic, as far as it knows them.

    Args:
        place: the partition, and the codes that the columns use.
        sample_capacity: how many samples wait for their ground truth at most.
        from_beginning: whether the first record is the first that the partition ever had.
    """

    def __init__(self, place: Place, sample_capacity: int, *, from_beginning: bool) -> None:
        self._place = place
        self._from_beginning = from_beginning
        self._rules = ValueRules(place.series)
        self._samples = Samples(sample_capacity)
        self._restored: tuple[MeasurementSampled, ...] = ()
        self._rewind = Rewind()
        self._last_offset = -1
        self._first_ms: int | None = None
        self._time_ms = -1
        self._step = 0
        self._buckets: dict[int, Bucket] = {}
        self._recent = Recent()
        self._counts = Counts()

    def absorb_control(self, record: Appended) -> None:
        """Take a fact of the rules topic in, before any record appended later than 2 s after it."""
        self._rules.set(record)

    def restore_samples(self, samples: Iterable[MeasurementSampled]) -> None:
        """Begin with samples of this partition that were published earlier, oldest first."""
        self._restored = (*self._restored, *samples)

    def resume_from(self) -> int:
        """The offset to begin from once all that was given is published; after the first fetch."""
        return self._rewind.offset(cut_ms(self._step) - REACH_MS)

    def absorb(self, columns: Columns) -> Iterator[Fact]:
        """Take the next fetch in; offsets that were read are passed over.

        Gives what follows one by one, for the facts of a cut may be more than memory holds; it is
        to be read to its end before anything else is asked of the fold.
        """
        begin = int(np.searchsorted(columns.offsets, self._last_offset, side="right"))
        if begin == len(columns.offsets):
            return
        times = np.maximum.accumulate(np.maximum(columns.appended_ms, self._time_ms))
        if self._first_ms is None:
            self._begin(int(times[begin]))
        self._rewind.note(columns.offsets[begin:], times[begin:], self._time_ms)
        for low, high in self._pieces(times, begin):
            yield from self._advance(step_of(int(times[low])))
            yield from self._take(columns, times, low, high)
        self._last_offset, self._time_ms = int(columns.offsets[-1]), int(times[-1])

    def _begin(self, first_ms: int) -> None:
        self._first_ms = first_ms
        self._step = step_of(first_ms)
        if not self._from_beginning:
            # Later ones are read again, or were read before any truth that can meet them.
            self._samples.restore(self._restored, (first_ms + BUCKET_MS) * 1000)
        self._restored = ()

    def _pieces(self, times: Integers, begin: int) -> list[tuple[int, int]]:
        """From where to where records are of one step and under the same rules."""
        steps = step_of(times[begin:])
        changes = self._rules.changes_between(int(times[begin]), int(times[-1]))
        edges = np.unique(
            np.concatenate(
                (
                    [begin, len(times)],
                    np.flatnonzero(np.diff(steps)) + begin + 1,
                    np.searchsorted(times, changes),
                )
            )
        ).tolist()
        return list(pairwise(edges))

    def _advance(self, step: int) -> Iterator[Fact]:
        """Cut every step before `step`; of a silence only its last step says something."""
        while self._step < step:
            yield from self._cut(last=self._step + 1 == step)
            self._step += 1
            if not self._buckets:
                self._step = max(self._step, step - 1)

    def _cut(self, *, last: bool) -> Iterator[Fact]:
        if self._is_whole():
            yield from self._held(last=last)
        self._buckets.pop(self._step - 2, None)
        self._recent, self._counts = Recent(), Counts()
        self._rules.begin_step()

    def _held(self, *, last: bool) -> Iterator[Fact]:
        """What the partition holds as the open step is cut, then that it is."""
        place, step, counts = self._place, self._step, self._counts
        said = last or counts.any()
        for fact in chain(
            decided_partials(place, step - 1, self._buckets.get(step - 1)),
            final_partials(place, step - 2, self._buckets.get(step - 2)),
            newest_measured(place, step, self._recent, 0),
        ):
            said = True
            yield fact
        if said:
            yield from advanced(place, step, counts)

    def _is_whole(self) -> bool:
        """Whether all that the open step and its cut depend on was read."""
        assert self._first_ms is not None
        return self._from_beginning or cut_ms(self._step) - REACH_MS >= self._first_ms

    def _take(self, columns: Columns, times: Integers, low: int, high: int) -> Iterator[Fact]:
        rows = _rows_between(columns, times, low, high)
        too_late = late(rows.times_ms, rows.captured_us)
        taken = rows.where(~too_late)
        counts = self._counts
        if len(taken):
            mine = kept(taken)
            yield from self._remember(mine, counts.measurements)
            self._tally(taken.captured_us // BUCKET_US, mine)
        counts.late += len(rows) - len(taken)
        counts.measurements += len(taken)
        counts.refused += int(np.diff(np.searchsorted(columns.refused, (low, high)))[0])
        counts.out_of_range += _out_of_range(taken.values) + _out_of_range(taken.extras.values)
        measurements = columns.measurements
        samples = samples_of(self._place, taken, measurements)
        truths = self._judge(columns, times, low, high, samples)
        singles: list[AtOffset[Fact]] = [*samples]
        self._rules.arrange(int(times[low]))
        if self._rules.metrics and self._is_whole():
            singles += breaches_by(self._place, self._step, self._rules, taken, measurements)
            singles += breaches_by_truths(self._place, self._step, self._rules, truths)
        singles.sort(key=lambda single: (single[0], single[1].event_id))
        yield from (fact for _, fact in singles)

    def _remember(self, rows: Kept, before: int) -> Iterator[Fact]:
        """Keep the newest of the step, which has taken `before`; tell them whenever many have come.

        Otherwise a thousand models would have to find room for a whole step in every partition.
        """
        low = 0
        for edge in range(before // TOLD_ROWS * TOLD_ROWS, before + len(rows) + 1, TOLD_ROWS)[1:]:
            high = edge - before
            self._recent.add(rows.between(low, high))
            if self._is_whole():
                place, step, number = self._place, self._step, edge // TOLD_ROWS
                yield from newest_measured(place, step, self._recent, number)
            self._recent = Recent()
            low = high
        if low < len(rows):
            self._recent.add(rows.between(low, len(rows)))

    def _tally(self, numbers: Integers, rows: Kept) -> None:
        for number in np.unique(numbers).tolist():
            mine = rows.where(numbers == number)
            bucket = self._buckets.setdefault(number, Bucket())
            bucket.tally.add(mine)
            if number < self._step - 1:
                bucket.changed.update(np.unique(mine.series).tolist())

    def _judge(
        self,
        columns: Columns,
        times: Integers,
        low: int,
        high: int,
        samples: Iterable[AtOffset[MeasurementSampled]],
    ) -> list[JudgedTruth]:
        """Keep samples and compare truths with those before them, in the order of the log."""
        counts = self._counts
        truths = [truth for truth in columns.truths if low <= truth.position < high]
        waiting = iter(samples)
        sample = next(waiting, None)
        found = []
        for truth in truths:
            offset = int(columns.offsets[truth.position])
            while sample is not None and sample[0] < offset:
                counts.evicted_samples += self._samples.add(sample[1])
                sample = next(waiting, None)
            judged = self._samples.judge(truth)
            if judged is None:
                counts.unmatched_truths += 1
                continue
            about = judged.sample
            series = (about.model_id, about.version, about.environment, about.arm)
            code = self._place.series.of(series)
            found.append(JudgedTruth(offset, int(times[truth.position]), code, judged))
        while sample is not None:
            counts.evicted_samples += self._samples.add(sample[1])
            sample = next(waiting, None)
        counts.truths += len(found)
        self._tally_truths(found)
        return found

    def _tally_truths(self, truths: list[JudgedTruth]) -> None:
        numbers = np.array([truth.time_ms // BUCKET_MS for truth in truths], dtype=np.int64)
        series = np.array([truth.series for truth in truths], dtype=np.int64)
        for metric in (ACCURACY, ERROR):
            values = np.array([getattr(truth.judged, metric) for truth in truths])
            self._counts.out_of_range += _out_of_range(values)
            for number in np.unique(numbers).tolist():
                mine = numbers == number
                bucket = self._buckets.setdefault(number, Bucket())
                bucket.tally.add_values(series[mine], self._place.metrics.of(metric), values[mine])


def _rows_between(columns: Columns, times: Integers, low: int, high: int) -> Rows:
    found = columns.measurements
    first, last = np.searchsorted(found.positions, (low, high)).tolist()
    begin, end = np.searchsorted(found.extras.rows, (first, last))
    positions = found.positions[first:last]
    return Rows(
        np.arange(first, last),
        columns.offsets[positions],
        times[positions],
        found.series[first:last],
        found.captured_us[first:last],
        found.values[:, first:last],
        Extras(
            found.extras.rows[begin:end] - first,
            found.extras.metrics[begin:end],
            found.extras.values[begin:end],
        ),
    )


def _out_of_range(values: Floats) -> int:
    return int(np.count_nonzero(np.abs(values) >= RANGE_LIMIT))
