"""Counts decisions by group: what was true, and what the data or the model itself predicts."""

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.counting import FN, FP, TN, TN_WRONG, TP, OutcomeTable
from modeltrail.processors.ethics.importance import Sample
from modeltrail.processors.ethics.labels import MISSING, Labels, label_of, numbers
from modeltrail.processors.ethics.scoring import ANY_OTHER, TabularModel
from modeltrail.processors.ethics.tallying import Codes, Flags, Rows, Tally
from modeltrail.schemas.assessment_settings import OutcomeColumns

_MOST_CLASSES = 1_000


class Outcomes:
    """Takes batches into an `OutcomeTable`."""

    def __init__(
        self,
        columns: OutcomeColumns,
        model: TabularModel | None,
        sample: Sample,
        table: OutcomeTable,
    ) -> None:
        """Prepare.

        Args:
            columns: which hold what.
            model: predicts, where predictions are not in the data.
            sample: rows that importance is measured on later.
            table: what is counted into.
        """
        self._columns = columns
        self._model = model
        self._sample = sample
        self._table = table
        # Truth and prediction share their labels.
        self._classes = Labels("of the truth", _MOST_CLASSES)
        self._positive = self._classes.code(label_of(columns.positive) or "")
        self._seen: set[int] = set()

    @property
    def truths(self) -> list[str]:
        """The labels that the truth had."""
        return sorted(self._classes.names[code] for code in self._seen)

    def add(self, rows: Rows, tally: Tally) -> None:
        """Count the rows that have labels, truth and prediction.

        Raises:
            Refused: too many classes, or the model fails.
        """
        truth = self._classes.codes(rows.columns[self._columns.truth])
        usable = rows.labelled & (truth != MISSING)
        tally.leave_out("the truth is missing", int(np.sum(rows.labelled & ~usable)))
        predicted = self._predicted(rows, truth, usable)
        judged = usable & (predicted != MISSING)
        tally.leave_out(
            "a prediction or an input of the model is missing", int(np.sum(usable & ~judged))
        )
        tally.judged += int(judged.sum())
        self._seen |= set(np.unique(truth[judged]).tolist())
        cells = self._cells(truth[judged], predicted[judged])
        self._table.add(rows.groups[judged], cells, None, rows.lots_of(judged))

    def _cells(self, truth: Codes, predicted: Codes) -> Codes:
        is_true, is_predicted = truth == self._positive, predicted == self._positive
        # A threshold tells the favourable label from all others, not one of these from another.
        right = ~is_true if self._tells_only_favourable() else truth == predicted
        cells: npt.NDArray[np.int64] = np.select(
            [is_true & is_predicted, is_true, is_predicted, right], [TP, FN, FP, TN], TN_WRONG
        ).astype(np.int64)
        return cells

    def _tells_only_favourable(self) -> bool:
        if self._model is not None:
            return self._model.only_favourable
        return bool(self._columns.score)

    def _predicted(self, rows: Rows, truth: Codes, usable: Flags) -> Codes:
        if self._model is not None:
            return self._scored(self._model, rows, truth, usable)
        if self._columns.prediction:
            return self._classes.codes(rows.columns[self._columns.prediction])
        scores = numbers(rows.columns[self._columns.score])
        favourable = scores >= self._columns.threshold
        predicted = np.where(favourable, self._positive, self._classes.code(ANY_OTHER))
        return np.where(np.isnan(scores), MISSING, predicted)

    def _scored(self, model: TabularModel, rows: Rows, truth: Codes, usable: Flags) -> Codes:
        feeds, complete = model.feeds(rows.columns)
        places = np.flatnonzero(usable & complete)
        predicted = np.full(len(truth), MISSING, np.int64)
        if not len(places):
            return predicted
        picked = {name: values[places] for name, values in feeds.items()}
        labels = model.predict(picked)
        predicted[places] = [
            MISSING if each is None else self._classes.code(each) for each in labels
        ]
        names = self._classes.names
        self._sample.add(picked, [names[code] for code in truth[places]])
        return predicted
