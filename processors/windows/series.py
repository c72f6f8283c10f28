"""Numbers the metrics of each series, so that tables can speak of them."""

from collections.abc import Iterable, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeltrail.schemas.events import OfManySeries
from modeltrail.schemas.ids import ModelId, Version

Integers = npt.NDArray[np.int64]
Series = tuple[ModelId, Version, str, str]
"""Model, version, environment, arm."""

SeriesNames = tuple[tuple[ModelId, ...], tuple[Version, ...], tuple[str, ...], tuple[str, ...]]
"""The models, versions, environments and arms of many series, in parallel."""

#: The row of a series that counts its measurements, whatever they measured; no metric is "".
MEASUREMENTS = ""


def each_series(fact: OfManySeries) -> list[Series]:
    """The series that a fact is about, in its order."""
    return list(zip(fact.model_ids, fact.versions, fact.environments, fact.arms, strict=True))


@dataclass(frozen=True, slots=True)
class Ordered:
    """Where the rows of a table are, by series and then by name.

    Attributes:
        series: each series of the table.
        measured: where its row of measurements is.
        begins: where its metrics begin in the two below.
        ends: and where they end.
        metrics: where the row of each metric is.
        names: and how it is called.
    """

    series: list[Series]
    measured: Integers
    begins: list[int]
    ends: list[int]
    metrics: Integers
    names: list[str]


@dataclass(frozen=True, slots=True)
class _Ranks:
    """All rows that there are, rising, and which each would be, by series and then by name."""

    rows: Integers
    ranks: Integers
    series: list[Series]
    names: list[str]


class SeriesRows:
    """The row of each (series, metric); rows are never given twice."""

    def __init__(self) -> None:
        self._rows: dict[Series, dict[str, int]] = {}
        self._names: dict[int, tuple[Series, str]] = {}
        self._next = 0
        self._ranks: _Ranks | None = None

    def __len__(self) -> int:
        return len(self._names)

    def row_of(self, series: Series, metric: str) -> int:
        """The row of a metric; a new one if it has none."""
        rows = self._rows.get(series)
        if rows is None:
            rows = self._rows[series] = {}
        row = rows.get(metric)
        if row is None:
            row = rows[metric] = self._next
            self._names[row] = (series, metric)
            self._next += 1
            self._ranks = None
        return row

    def rows_of(self, series: Iterable[Series]) -> list[int]:
        """All rows of some series."""
        return [row for each in series for row in self._rows.get(each, {}).values()]

    def name_of(self, row: int) -> tuple[Series, str]:
        """What a row is about."""
        return self._names[row]

    def ordered(self, rows: Integers) -> Ordered:
        """The order of rising rows; there is one of measurements of each of their series."""
        if self._ranks is None:
            self._ranks = self._ranked()
        known = self._ranks
        ranks = known.ranks[np.searchsorted(known.rows, rows)]
        order = np.argsort(ranks)
        places = ranks[order].tolist()
        names = [known.names[place] for place in places]
        # The row of measurements has the name that is before all others.
        heads = [at for at, name in enumerate(names) if name == MEASUREMENTS]
        edges = np.append(heads, len(names)) - np.arange(len(heads) + 1)
        is_metric = np.ones(len(names), dtype=np.bool_)
        is_metric[heads] = False
        return Ordered(
            [known.series[places[head]] for head in heads],
            order[heads],
            edges[:-1].tolist(),
            edges[1:].tolist(),
            order[is_metric],
            [name for name in names if name != MEASUREMENTS],
        )

    def keep(self, rows: Set[int]) -> None:
        """Forget all rows but these."""
        names = {row: self._names[row] for row in rows}
        if len(names) == len(self._names):
            return
        self._names, self._rows, self._ranks = names, {}, None
        for row, (series, metric) in names.items():
            self._rows.setdefault(series, {})[metric] = row

    def _ranked(self) -> _Ranks:
        by_name = [
            (row, series, name)
            for series in sorted(self._rows)
            for name, row in sorted(self._rows[series].items())
        ]
        rows = np.array([row for row, _, _ in by_name], dtype=np.int64)
        order = np.argsort(rows)
        return _Ranks(
            rows[order],
            order,
            [series for _, series, _ in by_name],
            [name for _, _, name in by_name],
        )
