"""Reports a measured value by group: latency, or how much of a face the mask covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.counting import ValueTable
from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.intervals import NONE, Interval, order_statistics, student
from modeltrail.processors.ethics.partitions import Partition
from modeltrail.processors.ethics.resampling import FEWEST_LOTS, lot_weights
from modeltrail.processors.ethics.simultaneous import Family, band_of
from modeltrail.schemas.assessment_settings import IntervalSettings
from modeltrail.schemas.sketch import bin_middle

Floats = npt.NDArray[np.float64]
_FEWEST_VALUES = 2


@dataclass(frozen=True, slots=True)
class Measure:
    """Which figures are made of a value: its mean, some quantiles, and the ratio of means."""

    mean: str
    quantiles: tuple[tuple[str, float], ...]
    ratio: str


LATENCY = Measure(
    "latency_mean_ms", (("latency_p50_ms", 0.5), ("latency_p95_ms", 0.95)), "latency_ratio"
)
COVERAGE = Measure("coverage_mean", (("coverage_p5", 0.05),), "coverage_ratio")


def measured_report(
    table: ValueTable,
    partition: Partition,
    order: Sequence[int],
    measure: Measure,
    settings: IntervalSettings,
    chance: np.random.Generator,
    *,
    by_lot: bool,
) -> dict[str, Any]:
    """Mean and quantiles of each group that has values, and the ratio of the means."""
    sums = table.sums(order)
    parts = [sums[:, list(places)].sum(axis=1) for places in partition.members]
    has = [place for place, part in enumerate(parts) if part[:, 0].sum() > 0]
    if not has:
        return {}
    by_group = np.stack([parts[place] for place in has], axis=1)
    drawn = _drawn_means(by_group, settings, chance, by_lot=by_lot)
    total = by_group.sum(axis=0)
    means = total[:, 1] / total[:, 0]
    found: dict[str, Any] = {"groups": {}}
    for place, group in enumerate(has):
        bins, counts = table.bins([order[place] for place in partition.members[group]])
        found["groups"][partition.groups[group]] = {
            measure.mean: _mean_figure(measure.mean, total[place], drawn, place, settings, by_lot),
            **{
                name: _quantile_figure(name, bins, counts, q, settings, by_lot=by_lot)
                for name, q in measure.quantiles
            },
        }
    # One value has no error of its own, so nothing can be said of what it differs from.
    several = total[:, 0] >= _FEWEST_VALUES
    means, drawn = means[several], drawn[:, several]
    if len(means) >= 2 and (means > 0).all():
        low, high = _ratio_interval(means, drawn, settings.confidence)
        value = float(means.min() / means.max())
        found[measure.ratio] = Figure(measure.ratio, value, int(total[:, 0].sum()), low, high)
    return found


def _mean_figure(
    name: str,
    total: Floats,
    drawn: Floats,
    place: int,
    settings: IntervalSettings,
    by_lot: bool,
) -> Figure:
    n, mean = int(total[0]), float(total[1] / total[0])
    interval: Interval = NONE
    if by_lot and len(drawn):
        tail = (1 - settings.confidence) / 2
        low, high = np.nanquantile(drawn[:, place], [tail, 1 - tail])
        interval = float(low), float(high)
    elif not by_lot and n >= 2:
        interval = student(mean, _variance(total), n, settings.confidence)
    note = "" if interval != NONE else "no interval: too few values or independent units"
    return Figure(name, mean, n, *interval, note)


def _quantile_figure(
    name: str,
    bins: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
    q: float,
    settings: IntervalSettings,
    *,
    by_lot: bool,
) -> Figure:
    reached: Any = np.cumsum(counts)
    n = int(reached[-1])
    value = bin_middle(int(bins[np.searchsorted(reached, max(1, np.ceil(q * n)))]))
    if by_lot:
        return Figure(name, value, n, note="no interval: rows of a unit depend on each other")
    return Figure(name, value, n, *order_statistics(bins, counts, q, settings.confidence))


def _drawn_means(
    sums: Floats, settings: IntervalSettings, chance: np.random.Generator, *, by_lot: bool
) -> Floats:
    """Means of each group in resamples of lots, or drawn from their errors where rows are alone."""
    if by_lot:
        if len(sums) < FEWEST_LOTS:
            return np.zeros((0, sums.shape[1]))
        pieces = []
        for weights in lot_weights(len(sums), settings.resamples, chance):
            counts, totals = weights @ sums[:, :, 0], weights @ sums[:, :, 1]
            undefined = np.full(counts.shape, np.nan)
            pieces.append(np.divide(totals, counts, out=undefined, where=counts > 0))
        return np.concatenate(pieces)
    total = sums.sum(axis=0)
    counts = total[:, 0]
    errors = np.sqrt(np.array([_variance(each) for each in total]) / counts)
    # A mean of few values has the tails of Student's t, not those of the normal distribution.
    freedom = np.maximum(counts - 1, 1)
    drawn: Floats = chance.standard_t(freedom, size=(settings.resamples, len(counts)))
    drawn *= errors
    drawn += total[:, 1] / counts
    return drawn


def _ratio_interval(means: Floats, drawn: Floats, confidence: float) -> Interval:
    if not len(drawn):
        return NONE
    logs = np.log(np.where(drawn > 0, drawn, np.nan))
    band = band_of([Family(np.log(means), logs, np.zeros(len(means)))], confidence)
    low, high = band.largest()
    return float(np.exp(-high)), float(np.exp(-low))


def _variance(total: Floats) -> float:
    n, first, second = (float(each) for each in total)
    return max(0.0, (second - first * first / n) / (n - 1)) if n > 1 else 0.0


def measured_of_all(
    table: ValueTable,
    partitions: Sequence[Partition],
    order: Sequence[int],
    measure: Measure,
    settings: IntervalSettings,
    chance: np.random.Generator,
    *,
    by_lot: bool,
) -> dict[str, Any]:
    """The report of each partition."""
    return {
        each.name: measured_report(table, each, order, measure, settings, chance, by_lot=by_lot)
        for each in partitions
    }
