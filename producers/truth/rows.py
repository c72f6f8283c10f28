"""Reads a CSV of ground truth row by row: what a row says, or what is wrong with its line."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from modeltrail.producers.truth.errors import TruthFileInvalid
from modeltrail.producers.values import LARGEST_LONG
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.ids import (
    ModelId,
    NodeId,
    SessionId,
    check_id,
    check_metric_name,
    derived_event_id,
)

ABOUT = ("node_id", "session_id", "frame", "model_id")


@dataclass(frozen=True, slots=True)
class TruthRow:
    """What was really there in one frame; `names` and `values` are parallel, one or more."""

    node_id: NodeId
    session_id: SessionId
    frame: int
    model_id: ModelId
    names: tuple[str, ...]
    values: tuple[float, ...]

    @property
    def about(self) -> bytes:
        """16 bytes that stand for the frame and model."""
        return derived_event_id(self.node_id, self.session_id, self.frame, self.model_id)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of the file, counted from 1, that is no ground truth, and why."""

    line: int
    reason: str


def read_rows(path: Path) -> Iterator[tuple[int, TruthRow | BadLine]]:
    """Each row with the line on which it ends, in the order of the file; blank lines are left out.

    Raises:
        TruthFileInvalid: there is no such file, it is not UTF-8, or its heading is wrong.
    """
    try:
        # With or without the mark that spreadsheets put in front.
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from _read(path, file)
    except UnicodeDecodeError as error:
        raise TruthFileInvalid(f"{path} is not UTF-8 ({error.reason}): save it as UTF-8") from error
    except OSError as error:
        raise TruthFileInvalid(f"{path} cannot be read ({error.strerror}): give a file") from error


def _read(path: Path, file: TextIO) -> Iterator[tuple[int, TruthRow | BadLine]]:
    reader = csv.reader(file, strict=True)
    try:
        heading = next(reader, [])
        measures = _measures_of(path, heading)
        for cells in reader:
            if cells:
                yield reader.line_num, _row_or_reason(heading, measures, cells, reader.line_num)
    except csv.Error as error:
        raise TruthFileInvalid(f"{path} line {reader.line_num} is no CSV: {error}") from error


def _measures_of(path: Path, heading: list[str]) -> tuple[str, ...]:
    if missing := [name for name in ABOUT if name not in heading]:
        raise TruthFileInvalid(
            f"{path} line 1 lacks the column {', '.join(missing)}: its heading must name "
            f"{', '.join(ABOUT)} and one column a measure"
        )
    if len(set(heading)) < len(heading):
        raise TruthFileInvalid(f"{path} line 1 names a column twice: leave one out")
    measures = tuple(name for name in heading if name not in ABOUT)
    if not measures:
        raise TruthFileInvalid(f"{path} line 1 names no measure: add a column such as faces")
    try:
        return tuple(check_metric_name(name) for name in measures)
    except InvalidFact as error:
        raise TruthFileInvalid(f"{path} line 1: {error}") from error


def _row_or_reason(
    heading: list[str], measures: tuple[str, ...], cells: list[str], line: int
) -> TruthRow | BadLine:
    try:
        return _row(heading, measures, cells)
    except InvalidFact as error:
        return BadLine(line, str(error))


def _row(heading: list[str], measures: tuple[str, ...], cells: list[str]) -> TruthRow:
    if len(cells) != len(heading):
        raise InvalidFact(f"{len(cells)} cells, the heading has {len(heading)}")
    row = dict(zip(heading, cells, strict=True))
    known = [name for name in measures if row[name].strip()]
    if not known:
        raise InvalidFact("no measure has a value: fill one in or leave the line out")
    return TruthRow(
        node_id=NodeId(_id("node_id", row)),
        session_id=SessionId(_id("session_id", row)),
        frame=_frame(row["frame"]),
        model_id=ModelId(_id("model_id", row)),
        names=tuple(known),
        values=tuple(_number(name, row[name]) for name in known),
    )


def _id(name: str, row: Mapping[str, str]) -> str:
    text = check_id(name, row[name])
    # As comes of "gate-1, clip 7": it would be taken, and never meet its measurement.
    if text != text.strip():
        raise InvalidFact(f"{name} is {text!r:.80}: leave out the blanks around it")
    return text


def _frame(text: str) -> int:
    digits = text.strip()
    # Short enough first: Python refuses to convert thousands of digits.
    fits = digits.isascii() and digits.isdigit() and len(digits) <= 19
    if not fits or int(digits) > LARGEST_LONG:
        raise InvalidFact(f"frame is {text!r:.80}: give a whole number of 0 or more")
    return int(digits)


def _number(name: str, text: str) -> float:
    try:
        # Python would read 1_000, which nobody else writes.
        number = math.nan if "_" in text else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidFact(f"{name} is {text!r:.80}: give a finite number or nothing")
    return number
