"""Joins what reads the fetches of one inference partition with what folds them."""

from collections.abc import Iterable, Iterator

from modeltrail.processors.windows.columns import Codes, metric_codes
from modeltrail.processors.windows.cuts import Place
from modeltrail.processors.windows.fold import WindowsFold
from modeltrail.processors.windows.reading import Batch, BatchReader
from modeltrail.processors.windows.series import Series
from modeltrail.schemas.admission import Declarations
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import Fact, MeasurementSampled, ModelRegistered


class PartitionFold:
    """One partition of the inference topic, from its first fetch after it was assigned.

    Args:
        partition: its number.
        partitions: how many the inference topic has, and so the windows topic.
        truth_sampling_rate: share of measurements, 0 to 1, that are kept for their ground truth.
        sample_capacity: how many of these are kept at most; each takes about 1 KB.
        from_beginning: whether the first record to come is the first that the partition ever had
            (offset 0); otherwise what may have begun before it is not told again.
    """

    def __init__(
        self,
        partition: int,
        partitions: int,
        truth_sampling_rate: float,
        sample_capacity: int,
        *,
        from_beginning: bool,
    ) -> None:
        series: Codes[Series] = Codes()
        place = Place(partition, partitions, series, metric_codes())
        self._reader = BatchReader(series, place.metrics, truth_sampling_rate)
        self._declarations = Declarations()
        self._fold = WindowsFold(place, sample_capacity, from_beginning=from_beginning)

    def absorb_control(self, record: Appended) -> None:
        """Take a ThresholdsSet or ModelRegistered in; any other fact is passed over.

        A registration is due before the first measurement appended after it, a threshold 2 s later.
        """
        if isinstance(record.fact, ModelRegistered):
            self._declarations.add(record.fact, record.appended_ms)
        else:
            self._fold.absorb_control(record)

    def restore_samples(self, samples: Iterable[MeasurementSampled]) -> None:
        """Begin with samples of this partition, oldest first; before the first fetch."""
        self._fold.restore_samples(samples)

    def absorb(self, batch: Batch) -> Iterator[Fact]:
        """Take the next fetch in and give what follows from it, in the order to publish it.

        To be read to its end before anything else is asked.
        """
        return self._fold.absorb(self._reader.read(batch, self._declarations.since))

    def resume_from(self) -> int:
        """The offset to commit once all facts given so far are acknowledged; after a fetch."""
        return self._fold.resume_from()
