"""Answers which rows of a decoded frame are no facts after all: the same for every reader.

Rows are judged in whole columns. Names repeat, so each distinct one is checked once, by the very
functions that the producers use. Frames hold `position` and `log_appended_ms`, the broker's append
time.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType

import polars as pl

from modeltrail.schemas.batch import POSITION
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import DeadLetterReason, ModelRegistered
from modeltrail.schemas.ids import LONGEST_ID, MOST_DECLARED_METRICS, check_id, check_metric_name

APPENDED_MS = "log_appended_ms"
FUTURE_LIMIT_US = 10_000_000
MEASUREMENT_IDS = ("node_id", "session_id", "model_id", "version")
TRUTH_IDS = ("node_id", "session_id", "model_id")
# They name a series too, but may be anything, or nothing.
_LABELS = ("environment", "arm")

DeclaredSince = Callable[[str, str, tuple[str, ...]], int | None]
"""(model_id, version, names) to the append time, ms, since which all names are declared."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that is no fact for anybody: its position in the batch, and why."""

    position: int
    reason: DeadLetterReason
    detail: str


Admitted = tuple[pl.DataFrame, list[Refusal]]
"""The rows that are facts, and why the others are not."""

_NOTHING: Mapping[str, int] = MappingProxyType({})


class Declarations:
    """Which extra metrics were declared for which model version, and since when."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], dict[str, int]] = {}

    def add(self, fact: ModelRegistered, appended_ms: int) -> None:
        """Take a registration in; the earliest one that declares a name counts."""
        declared = self._since.setdefault((fact.model_id, fact.version), {})
        for name in fact.declared_metrics:
            declared[name] = min(appended_ms, declared.get(name, appended_ms))

    def since(self, model_id: str, version: str, names: tuple[str, ...]) -> int | None:
        """The append time, ms, since which all `names` are declared; None: not all are."""
        declared = self._since.get((model_id, version), _NOTHING)
        times = [declared.get(name) for name in names]
        return None if None in times else max(time for time in times if time is not None)


def admit_measurements(frame: pl.DataFrame, declared_since: DeclaredSince) -> Admitted:
    """Take the rows of InferenceMeasured out that are none, each with its reason."""
    frame, refusals = refuse_ids(frame, MEASUREMENT_IDS)
    frame, bad = refuse_long(frame, _LABELS)
    refusals += bad
    if _all_well(frame):
        return frame, refusals
    for check in (
        refuse_non_finite,
        lambda rows: refuse_pairs(rows, "extra_names", "extra_values", most=MOST_DECLARED_METRICS),
        lambda rows: refuse_times(rows, "captured_at"),
        lambda rows: _refuse_undeclared(rows, declared_since),
    ):
        frame, bad = check(frame)
        refusals += bad
    return frame, refusals


def admit_truths(frame: pl.DataFrame) -> Admitted:
    """Take the rows of GroundTruthObserved out that are none, each with its reason."""
    frame, refusals = refuse_ids(frame, TRUTH_IDS)
    frame, bad = refuse_pairs(frame, "names", "values")
    return frame, refusals + bad


def refuse(frame: pl.DataFrame, which: pl.Expr, reason: DeadLetterReason, detail: str) -> Admitted:
    """Take the rows out for which `which` holds; a null counts as false."""
    bad = frame.select(which.fill_null(False).alias("bad"))["bad"]
    if not bad.any():
        return frame, []
    refusals = [Refusal(position, reason, detail) for position in frame.filter(bad)[POSITION]]
    return frame.filter(~bad), refusals


def refuse_ids(frame: pl.DataFrame, columns: Sequence[str]) -> Admitted:
    """Take the rows out of which a column is no valid id."""
    refusals: list[Refusal] = []
    distinct = frame.select(pl.col(column).unique().implode() for column in columns)
    for column in columns:
        for value, problem in _problems(distinct[column][0], partial(_id_problem, column)):
            frame, bad = refuse(
                frame, pl.col(column) == value, DeadLetterReason.INVALID_FACT, problem
            )
            refusals += bad
    return frame, refusals


def refuse_long(frame: pl.DataFrame, columns: Sequence[str]) -> Admitted:
    """Take the rows out of which a column has more characters than an id may have."""
    refusals: list[Refusal] = []
    for column in columns:
        # No text has more characters than bytes, and bytes need not be counted.
        longest = frame[column].str.len_bytes().max()
        if not isinstance(longest, int) or longest <= LONGEST_ID:
            continue
        frame, bad = refuse(
            frame,
            pl.col(column).str.len_chars() > LONGEST_ID,
            DeadLetterReason.INVALID_FACT,
            f"{column} has more than {LONGEST_ID} characters: give it a shorter name",
        )
        refusals += bad
    return frame, refusals


def refuse_pairs(
    frame: pl.DataFrame, names: str, values: str, *, most: int | None = None
) -> Admitted:
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
        frame[names].explode(empty_as_null=False).unique(), _metric_problem
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


def refuse_non_finite(frame: pl.DataFrame) -> Admitted:
    """Take the rows out that hold NaN or an infinite value in a column of their own."""
    return refuse(
        frame,
        pl.any_horizontal(~pl.col(name).is_finite().fill_null(True) for name in _floats(frame)),
        DeadLetterReason.NON_FINITE,
        "a measure is NaN or infinite: leave it null",
    )


def refuse_times(frame: pl.DataFrame, column: str) -> Admitted:
    """Take the rows out whose time is before 1970 or more than 10 s after their append."""
    frame, refusals = refuse(
        frame,
        pl.col(column) < 0,
        DeadLetterReason.INVALID_FACT,
        f"{column} is before 1970: give microseconds since the epoch",
    )
    frame, bad = refuse(
        frame,
        pl.col(column) - pl.col(APPENDED_MS) * 1000 > FUTURE_LIMIT_US,
        DeadLetterReason.CAPTURED_IN_FUTURE,
        f"{column} is more than 10 s after the broker appended it: set the node's clock",
    )
    return frame, refusals + bad


def _all_well(frame: pl.DataFrame) -> bool:
    """Whether no measurement has extra metrics or gives a reason to look closer."""
    if not frame.height:
        return True
    # Column by column: one expression for all of them costs a small fetch many times as much. A
    # sum is finite only if every value is; one that overflows is a reason to look closer too.
    return (
        all(math.isfinite(frame[name].sum()) for name in _floats(frame))
        and not any(frame[name].list.len().max() for name in ("extra_names", "extra_values"))
        and not (frame["captured_at"] < 0).any()
        and not (frame["captured_at"] - frame[APPENDED_MS] * 1000 > FUTURE_LIMIT_US).any()
    )


def _floats(frame: pl.DataFrame) -> list[str]:
    return [name for name, dtype in frame.schema.items() if dtype == pl.Float64]


def _refuse_undeclared(frame: pl.DataFrame, declared_since: DeclaredSince) -> Admitted:
    refusals: list[Refusal] = []
    extras = frame.filter(pl.col("extra_names").list.len() > 0)
    groups = (
        extras.select("model_id", "version", "extra_names").unique().sort("model_id", "version")
    )
    for model_id, version, names in groups.iter_rows():
        since = declared_since(model_id, version, tuple(names))
        same = (
            (pl.col("model_id") == model_id)
            & (pl.col("version") == version)
            & (pl.col("extra_names") == pl.lit(names, dtype=pl.List(pl.String)))
        )
        frame, bad = refuse(
            frame,
            same if since is None else same & (pl.col(APPENDED_MS) < since),
            DeadLetterReason.UNDECLARED_METRIC,
            f"{model_id} {version} did not declare all of {', '.join(sorted(names))[:500]}: "
            "register the model with declared_metrics before nodes measure them",
        )
        refusals += bad
    return frame, refusals


def _problems(
    values: Iterable[str], problem_of: Callable[[str], str | None]
) -> list[tuple[str, str]]:
    found = ((value, problem_of(value)) for value in values)
    return [(value, problem) for value, problem in found if problem is not None]


# The names of a fleet come again with every fetch.
@lru_cache(maxsize=1 << 15)
def _id_problem(column: str, value: str) -> str | None:
    return _problem(partial(check_id, column), value)


@lru_cache(maxsize=1 << 12)
def _metric_problem(value: str) -> str | None:
    return _problem(check_metric_name, value)


def _problem(check: Callable[[str], object], value: str) -> str | None:
    try:
        check(value)
    except InvalidFact as error:
        return str(error)
    return None
