"""Answers which rows of a decoded frame are no facts after all: whole columns at a time.

Names repeat, so each distinct one is checked once, by the very functions that the producers use.
"""

from collections.abc import Callable, Iterable
from functools import partial

import polars as pl

from modeltrail.schemas.batch import POSITION
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import DeadLetterReason
from modeltrail.schemas.ids import check_id, check_metric_name
from modeltrail.sinks.projector.records import Refusal

FUTURE_LIMIT_US = 10_000_000


def refuse(
    frame: pl.DataFrame,
    which: pl.Expr,
    reason: DeadLetterReason,
    detail: str,
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Take the rows out for which `which` holds; a null counts as false."""
    bad = frame.select(which.fill_null(False).alias("bad"))["bad"]
    if not bad.any():
        return frame, []
    refusals = [Refusal(position, reason, detail) for position in frame.filter(bad)[POSITION]]
    return frame.filter(~bad), refusals


def refuse_ids(frame: pl.DataFrame, columns: Iterable[str]) -> tuple[pl.DataFrame, list[Refusal]]:
    """Take the rows out of which a column is no valid id."""
    refusals: list[Refusal] = []
    for column in columns:
        for value, problem in _problems(frame[column].unique(), partial(check_id, column)):
            frame, bad = refuse(
                frame, pl.col(column) == value, DeadLetterReason.INVALID_FACT, problem
            )
            refusals += bad
    return frame, refusals


def refuse_pairs(
    frame: pl.DataFrame, names: str, values: str, *, most: int | None = None
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Take the rows out whose names and values do not pair up, or are no names or no numbers."""
    if frame.select((pl.col(names).list.len() + pl.col(values).list.len()).sum()).item() == 0:
        return frame, []
    frame, refusals = refuse(
        frame,
        pl.col(names).list.len() != pl.col(values).list.len(),
        DeadLetterReason.INVALID_FACT,
        f"{names} and {values} differ in length: give one value a name",
    )
    frame, bad = refuse(
        frame,
        pl.col(names).list.n_unique() != pl.col(names).list.len(),
        DeadLetterReason.INVALID_FACT,
        f"{names} holds a name twice: give each once",
    )
    refusals += bad
    if most is not None:
        frame, bad = refuse(
            frame,
            pl.col(names).list.len() > most,
            DeadLetterReason.INVALID_FACT,
            f"{names} holds more than {most} names",
        )
        refusals += bad
    for value, problem in _problems(
        frame[names].explode(empty_as_null=False).unique(), check_metric_name
    ):
        frame, bad = refuse(
            frame,
            pl.col(names).list.contains(value),
            DeadLetterReason.INVALID_FACT,
            problem,
        )
        refusals += bad
    frame, bad = refuse(
        frame,
        ~pl.col(values).list.eval(pl.element().is_finite()).list.all(),
        DeadLetterReason.NON_FINITE,
        f"{values} holds NaN or an infinite value: leave the name out",
    )
    return frame, refusals + bad


def refuse_non_finite(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal]]:
    """Take the rows out that hold NaN or an infinite value in a column of their own."""
    floats = [name for name, dtype in frame.schema.items() if dtype == pl.Float64]
    return refuse(
        frame,
        pl.any_horizontal(~pl.col(name).is_finite().fill_null(True) for name in floats),
        DeadLetterReason.NON_FINITE,
        "a measure is NaN or infinite: leave it null",
    )


def refuse_times(frame: pl.DataFrame, column: str) -> tuple[pl.DataFrame, list[Refusal]]:
    """Take the rows out whose time is before 1970 or more than 10 s after their append."""
    frame, refusals = refuse(
        frame,
        pl.col(column) < 0,
        DeadLetterReason.INVALID_FACT,
        f"{column} is before 1970: give microseconds since the epoch",
    )
    frame, bad = refuse(
        frame,
        pl.col(column) > pl.col("log_appended_ms") * 1000 + FUTURE_LIMIT_US,
        DeadLetterReason.CAPTURED_IN_FUTURE,
        f"{column} is more than 10 s after the broker appended it: set the node's clock",
    )
    return frame, refusals + bad


def _problems(values: pl.Series, check: Callable[[str], object]) -> list[tuple[str, str]]:
    problems = []
    for value in values:
        try:
            check(value)
        except InvalidFact as error:
            problems.append((value, str(error)))
    return problems
