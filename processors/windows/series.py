"""Numbers the metrics of each series, so that tables can speak of them."""

from collections.abc import Iterable, Set

from modeltrail.schemas.events import OfManySeries
from modeltrail.schemas.ids import ModelId, Version

Series = tuple[ModelId, Version, str, str]
"""Model, version, environment, arm."""

SeriesNames = tuple[tuple[ModelId, ...], tuple[Version, ...], tuple[str, ...], tuple[str, ...]]
"""The models, versions, environments and arms of many series, in parallel."""

#: The row of a series that counts its measurements, whatever they measured; no metric is "".
MEASUREMENTS = ""


def each_series(fact: OfManySeries) -> list[Series]:
    """The series that a fact is about, in its order."""
    return list(zip(fact.model_ids, fact.versions, fact.environments, fact.arms, strict=True))


class SeriesRows:
    """The row of each (series, metric); rows are never given twice."""

    def __init__(self) -> None:
        self._rows: dict[Series, dict[str, int]] = {}
        self._names: dict[int, tuple[Series, str]] = {}
        self._next = 0

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
        return row

    def rows_of(self, series: Iterable[Series]) -> list[int]:
        """All rows of some series."""
        return [row for each in series for row in self._rows.get(each, {}).values()]

    def name_of(self, row: int) -> tuple[Series, str]:
        """What a row is about."""
        return self._names[row]

    def keep(self, rows: Set[int]) -> None:
        """Forget all rows but these."""
        names = {row: self._names[row] for row in rows}
        if len(names) == len(self._names):
            return
        self._names, self._rows = names, {}
        for row, (series, metric) in names.items():
            self._rows.setdefault(series, {})[metric] = row
