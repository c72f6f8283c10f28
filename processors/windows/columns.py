"""Says what a fetch of the inference topic is to the fold: numpy columns, names as codes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from modeltrail.processors.windows.series import MEASUREMENTS
from modeltrail.schemas.ids import EventId, ModelId, NodeId, SessionId
from modeltrail.schemas.measures import MEASURES

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: What a ground truth tells of the measurement that was sampled for it.
ACCURACY = "accuracy"
ERROR = "error"

T = TypeVar("T")


class Codes(Generic[T]):
    """Numbers for values, from 0 in the order in which they were first asked for."""

    def __init__(self, known: Iterable[T] = ()) -> None:
        self._values: list[T] = []
        self._codes: dict[T, int] = {}
        for value in known:
            self.of(value)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, code: int) -> T:
        return self._values[code]

    def of(self, value: T) -> int:
        """The number of a value; a new one if it has none."""
        code = self._codes.setdefault(value, len(self._values))
        if code == len(self._values):
            self._values.append(value)
        return code


#: The code of what counts measurements; those of MEASURES follow it, then any other.
MEASUREMENTS_CODE = 0


def metric_codes() -> Codes[str]:
    """Codes of metrics, as far as they are known from the start."""
    return Codes((MEASUREMENTS, *MEASURES, ACCURACY, ERROR))


class Identity(NamedTuple):
    """Which frame a measurement is of."""

    event_id: EventId
    node_id: NodeId
    session_id: SessionId
    frame: int


@dataclass(frozen=True, slots=True)
class Extras:
    """Values of metrics without a column, in parallel; `rows` rise and say whose they are."""

    rows: Integers
    metrics: Integers
    values: Floats

    def where(self, chosen: Flags) -> "Extras":
        """Those of the flagged rows, which are numbered anew."""
        mine = chosen[self.rows]
        numbers = np.cumsum(chosen) - 1
        return Extras(numbers[self.rows[mine]], self.metrics[mine], self.values[mine])


@dataclass(frozen=True, slots=True)
class Rows:
    """Measurements in the order of the log.

    Attributes:
        numbers: number of each in its fetch, by which its identity is known.
        offsets: where in the log each is.
        times_ms: when each was appended.
        series: code of the series of each.
        captured_us: when each was captured, microseconds since the epoch.
        values: shape (measures, rows); NaN where a measurement has none.
        extras: what was measured beyond that.
    """

    numbers: Integers
    offsets: Integers
    times_ms: Integers
    series: Integers
    captured_us: Integers
    values: Floats
    extras: Extras

    def __len__(self) -> int:
        return len(self.numbers)

    def where(self, chosen: Flags) -> "Rows":
        """The flagged rows."""
        if chosen.all():
            return self
        return Rows(
            self.numbers[chosen],
            self.offsets[chosen],
            self.times_ms[chosen],
            self.series[chosen],
            self.captured_us[chosen],
            self.values[:, chosen],
            self.extras.where(chosen),
        )


@dataclass(frozen=True, slots=True)
class Truth:
    """What was really there in a frame; `position` is where in the fetch this was said."""

    position: int
    model_id: ModelId
    node_id: NodeId
    session_id: SessionId
    frame: int
    names: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Measurements:
    """The admitted measurements of a fetch; as in Rows, with `positions` in the fetch.

    `sampled` are the rising numbers of those that are kept for their ground truth; `identities`
    gives the identities of those of the numbers that it is given.
    """

    positions: Integers
    series: Integers
    captured_us: Integers
    values: Floats
    extras: Extras
    sampled: Integers
    identities: Callable[[Integers], list[Identity]]


@dataclass(frozen=True, slots=True)
class Columns:
    """One fetch: offsets and append times (ms) of all its records, then what they are.

    `refused` are the rising positions of records that are nothing to anybody.
    """

    offsets: Integers
    appended_ms: Integers
    refused: Integers
    measurements: Measurements
    truths: tuple[Truth, ...]
