"""Takes the rows of the data once, batch by batch, and keeps only counts, sums and samples."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from modeltrail.processors.ethics.counting import Groups, OutcomeTable, ValueTable
from modeltrail.processors.ethics.detections import add_detections
from modeltrail.processors.ethics.importance import Sample
from modeltrail.processors.ethics.labels import MISSING, Labels, label_of, numbers
from modeltrail.processors.ethics.lots import LotNumbers
from modeltrail.processors.ethics.outcomes import Outcomes
from modeltrail.processors.ethics.partitions import Partition, order_of, partitions_of
from modeltrail.processors.ethics.privacy import Privacy
from modeltrail.processors.ethics.scoring import TabularModel
from modeltrail.processors.ethics.tallying import Rows, Tally
from modeltrail.schemas.assessment_settings import AssessmentSettings
from modeltrail.schemas.sketch import RANGE_LIMIT

_MOST_GROUP_LABELS = 100


class DataPass:
    """Everything that is gathered while the rows pass.

    Attributes:
        tally: how many rows came and were judged.
        outcomes: counts of decisions or detections.
        latencies: measured by group.
        coverages: of masks, measured by group.
        privacy: of the people in the data.
        sample: rows that importance is measured on.
        images: the first ones, encoded.
        by_lot: whether rows depend on each other, so that lots are counted apart.
    """

    def __init__(
        self, settings: AssessmentSettings, model: TabularModel | None, sample: Sample
    ) -> None:
        self._settings = settings
        self._attributes = {
            name: Labels(name, _MOST_GROUP_LABELS, settings.cuts.get(name, ()))
            for name in settings.sensitive
        }
        self._groups = Groups()
        # Faces of a frame depend on each other: then rows, not faces, are drawn.
        self.by_lot = bool(settings.unit) or bool(settings.detection and settings.detection.faces)
        self._lots = LotNumbers(settings.unit) if self.by_lot else None
        self.tally = Tally()
        self.outcomes = OutcomeTable(by_lot=self.by_lot)
        self.latencies = ValueTable(by_lot=self.by_lot)
        self.coverages = ValueTable(by_lot=self.by_lot)
        self.privacy = Privacy(settings.privacy, settings.cuts, by_unit=bool(settings.unit))
        self.sample = sample
        self.images: list[bytes] = []
        self._decisions = (
            Outcomes(settings.outcome, model, sample, self.outcomes) if settings.outcome else None
        )

    @property
    def order(self) -> list[int]:
        """The places of the intersecting groups in the tables, in the order of their labels."""
        return order_of(self._attributes, self._groups.keys())

    @property
    def truths(self) -> list[str]:
        """The labels that the truth had; none where there are no decisions."""
        return self._decisions.truths if self._decisions else []

    @property
    def favourable(self) -> str:
        """The favourable label of decisions; empty where there are none."""
        outcome = self._settings.outcome
        return (label_of(outcome.positive) or "") if outcome else ""

    def partitions(self) -> list[Partition]:
        """The groups by each attribute, and where these intersect; places are those in `order`."""
        keys = self._groups.keys()
        return partitions_of(self._attributes, [keys[place] for place in self.order])

    def add(self, columns: Mapping[str, pa.Array]) -> None:
        """Take the next rows.

        Raises:
            Refused: too many labels or groups, or the model fails.
        """
        rows = self._rows(columns)
        detection = self._settings.detection
        if self._decisions is not None:
            self._decisions.add(rows, self.tally)
        if detection is not None and detection.missed:
            add_detections(detection, rows, self.outcomes, self.tally)
        if detection is not None and detection.coverage:
            self._add_values(self.coverages, detection.coverage, rows)
        if self._settings.latency:
            self._add_values(self.latencies, self._settings.latency, rows)
        self.privacy.add(rows)
        self._add_images(columns)

    def _rows(self, columns: Mapping[str, pa.Array]) -> Rows:
        count = len(next(iter(columns.values())))
        lots = self._lots.of(columns, self.tally.rows, count) if self._lots else None
        self.tally.rows += count
        labels = [each.codes(columns[name]) for name, each in self._attributes.items()]
        labelled = np.ones(count, bool)
        for codes in labels:
            labelled &= codes != MISSING
        self.tally.leave_out("a sensitive attribute is missing", int(count - labelled.sum()))
        groups = np.zeros(count, np.int64)
        if labels and labelled.any():
            groups[labelled] = self._groups.codes([codes[labelled] for codes in labels])
        return Rows(columns, groups, labelled, lots)

    def _add_values(self, table: ValueTable, column: str, rows: Rows) -> None:
        values = numbers(rows.columns[column])
        # Larger ones would overflow when squared; NaN is neither.
        usable = rows.labelled & (values >= 0) & (values < RANGE_LIMIT)
        self.tally.note_unusual(column, int(np.sum(rows.labelled & ~usable)))
        table.add(rows.groups[usable], values[usable], rows.lots_of(usable))

    def _add_images(self, columns: Mapping[str, pa.Array]) -> None:
        wanted = self._settings.explain
        if not wanted.image or len(self.images) >= wanted.images:
            return
        for value in columns[wanted.image].to_pylist():
            # Data sets of images often hold them as a pair of bytes and path.
            encoded: Any = value.get("bytes") if isinstance(value, dict) else value
            if isinstance(encoded, bytes) and len(self.images) < wanted.images:
                self.images.append(encoded)
