"""Runs the registered model on columns of the data, on the CPU, without touching other files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pyarrow as pa

from modeltrail.processors.ethics.labels import label_of, numbers, texts
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.assessment_settings import ModelScoring, OutcomeColumns
from modeltrail.schemas.events import AssessmentRefusal

#: What a score under the threshold predicts: no label of the data.
ANY_OTHER = "\x00any other"
Feeds = dict[str, npt.NDArray[Any]]
_NUMBERS: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
_TEXT = "tensor(string)"


def open_session(path: Path, threads: int = 1) -> Any:
    """An ONNX Runtime session of the file, on the CPU.

    Raises:
        Refused: the model cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        # From its bytes: tensors that it claims to have in other files are not looked for.
        return onnxruntime.InferenceSession(
            path.read_bytes(), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise failed("does not load", error) from error


def failed(what: str, error: BaseException) -> Refused:
    """The refusal of a model that fails."""
    said = " ".join(str(error).split())[:400]
    return Refused(
        AssessmentRefusal.MODEL_FAILED, f"the model {what} ({said}): export it again, or correct it"
    )


class TabularModel:
    """A model that takes columns of a table and gives a label or a score for each row.

    Attributes:
        columns: what it takes.
        favourable: the favourable label.
        only_favourable: whether it tells that label from all others and no more, known once it
            has predicted.
    """

    def __init__(self, session: Any, scoring: ModelScoring, outcome: OutcomeColumns) -> None:
        """Match the model's inputs with columns.

        Raises:
            Refused: an input has a type that a table has no counterpart of.
        """
        self._session = session
        self._outcome = outcome
        self._inputs = {each.name: each.type for each in session.get_inputs()}
        self._joined = bool(scoring.inputs)
        self.favourable = label_of(outcome.positive) or ""
        self.only_favourable = False
        self.columns: tuple[str, ...] = tuple(scoring.inputs) or tuple(self._inputs)
        if self._joined and len(self._inputs) != 1:
            raise self._misfit(f"has {len(self._inputs)} inputs: leave model.inputs empty")
        for name, kind in self._inputs.items():
            if kind != _TEXT and kind not in _NUMBERS:
                raise self._misfit(f"takes {kind} as {name}: a table has none")
        outputs = [each.name for each in session.get_outputs()]
        self._output = scoring.output or outputs[0]
        if self._output not in outputs:
            raise self._misfit(f"has no output {self._output}, it has {', '.join(outputs)}")

    def feeds(self, batch: Mapping[str, pa.Array]) -> tuple[Feeds, npt.NDArray[np.bool_]]:
        """The inputs of a batch, and which rows have all of them."""
        if self._joined:
            ((name, kind),) = self._inputs.items()
            columns = [self._column(batch[column], kind) for column in self.columns]
            joined = np.concatenate(columns, axis=1)
            return {name: self._typed(joined, kind)}, self._complete(joined)
        raw = {name: self._column(batch[name], kind) for name, kind in self._inputs.items()}
        complete = np.all([self._complete(column) for column in raw.values()], axis=0)
        return {
            name: self._typed(column, self._inputs[name]) for name, column in raw.items()
        }, complete

    def predict(self, feeds: Feeds) -> list[str | None]:
        """The predicted label of each row.

        Raises:
            Refused: the model fails, or its output is not one label or score a row.
        """
        rows = len(next(iter(feeds.values())))
        try:
            (output,) = self._session.run([self._output], feeds)
        except Exception as error:
            raise failed("fails on the data", error) from error
        values = np.asarray(output)
        if len(values) != rows or values.ndim > 2:
            raise self._misfit(f"gives {self._output} of shape {values.shape} for {rows} rows")
        if values.dtype.kind == "f":
            return self._of_scores(values.reshape(rows, -1))
        if values.size != rows:
            raise self._misfit(f"gives {values.size} labels for {rows} rows")
        return [label_of(value) for value in values.reshape(-1).tolist()]

    def _of_scores(self, scores: npt.NDArray[Any]) -> list[str | None]:
        if scores.shape[1] > 2:
            return [str(each) for each in scores.argmax(axis=1).tolist()]
        # Two columns are the chances of 0 and of 1.
        positive = scores[:, -1] >= self._outcome.threshold
        self.only_favourable = True
        finite = np.isfinite(scores[:, -1])
        return [
            (self.favourable if hit else ANY_OTHER) if usable else None
            for hit, usable in zip(positive.tolist(), finite.tolist(), strict=True)
        ]

    def _column(self, column: pa.Array, kind: str) -> npt.NDArray[Any]:
        if kind == _TEXT:
            return np.array(texts(column), dtype=object).reshape(-1, 1)
        return numbers(column).reshape(-1, 1)

    def _typed(self, column: npt.NDArray[Any], kind: str) -> npt.NDArray[Any]:
        if kind == _TEXT:
            return column
        target = _NUMBERS[kind]
        # Rows without a number are left out before the model sees them.
        filled = column if np.issubdtype(target, np.floating) else np.nan_to_num(column)
        typed: npt.NDArray[Any] = filled.astype(target)
        return typed

    def _complete(self, column: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        missing = np.asarray(column == "" if column.dtype == object else np.isnan(column), bool)
        complete: npt.NDArray[np.bool_] = np.logical_not(missing.any(axis=1))
        return complete

    def _misfit(self, what: str) -> Refused:
        return Refused(AssessmentRefusal.MODEL_FAILED, f"the model {what}")
