"""Reports rates and disparities by group and by intersecting groups, from counts alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.counting import FN, TP
from modeltrail.processors.ethics.disparities import (
    DETECTION_DISPARITIES,
    OUTCOME_DISPARITIES,
    Disparity,
    disparity,
    disparity_interval,
    impact_ratios,
    independent_units,
)
from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.intervals import bias_corrected, wilson
from modeltrail.processors.ethics.partitions import Partition
from modeltrail.processors.ethics.rates import (
    DETECTION_RATES,
    RATES,
    fairlearn_rates,
    hits_and_bases,
    rates_of,
)
from modeltrail.processors.ethics.resampling import FEWEST_LOTS, resampled_counts
from modeltrail.schemas.assessment_settings import IntervalSettings

Floats = npt.NDArray[np.float64]
FOUR_FIFTHS = 0.8
#: A group of fewer lots is often in none of those that are drawn.
_FEWEST_UNITS = 5


@dataclass(slots=True)
class Fairness:
    """What fairness came to: a tree of figures, and what could not be judged."""

    report: dict[str, Any] = field(default_factory=dict)
    not_judged: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of outcomes and what their intervals are made with.

    Attributes:
        counts: shape (lots, groups, cells).
        detection: whether they count faces, not decisions.
        settings: of the intervals.
        chance: what resamples are drawn with.
    """

    counts: npt.NDArray[np.int64]
    detection: bool
    settings: IntervalSettings
    chance: np.random.Generator
    by_lot: bool = False

    def resampled(self) -> Floats:
        """Counts of each resample; none where there are too few independent units."""
        lots = len(self.counts)
        if self.by_lot and lots < FEWEST_LOTS:
            return np.zeros((0, *self.counts.shape[1:]))
        return resampled_counts(self.counts, self.settings.resamples, self.chance)


def fairness_of(counted: Counted, partitions: Sequence[Partition]) -> Fairness:
    """Rates and disparities of every partition that has two groups."""
    found = Fairness()
    resampled = counted.resampled()
    if not len(resampled):
        found.not_judged.append(
            f"fairness: {len(counted.counts)} independent units are too few for intervals, "
            f"{FEWEST_LOTS} are needed: give data of more sessions"
        )
    for partition in partitions:
        if len(partition.groups) < 2:
            group = f"the group {partition.groups[0]!r}" if partition.groups else "no group"
            found.not_judged.append(
                f"fairness.{partition.name}: the data holds {group} only, two are needed: "
                "give data of more groups"
            )
            continue
        found.report[partition.name] = _partition_report(counted, resampled, partition, found)
    return found


def _partition_report(
    counted: Counted, resampled: Floats, partition: Partition, found: Fairness
) -> dict[str, Any]:
    counts = _of_groups(counted.counts.sum(axis=0), partition)
    drawn = _of_groups(resampled, partition)
    by_lot = _of_groups(counted.counts, partition) if counted.by_lot else None
    measures = DETECTION_DISPARITIES if counted.detection else OUTCOME_DISPARITIES
    rates = DETECTION_RATES if counted.detection else tuple(RATES)
    small = _small(counts, partition, counted.settings)
    report: dict[str, Any] = {
        "groups": _group_figures(counted, counts, drawn, partition, rates, by_lot)
    }
    for name, measure in measures.items():
        report[name] = _disparity_figure(counted, counts, drawn, name, measure, small, by_lot)
        if report[name].value is None:
            found.not_judged.append(f"fairness.{partition.name}.{name}: {report[name].note}")
    if not counted.detection:
        report["four_fifths_rule"] = _four_fifths(report["demographic_parity_ratio"])
    report["small_groups"] = small
    return report


def _group_figures(
    counted: Counted,
    counts: npt.NDArray[np.int64],
    drawn: Floats,
    partition: Partition,
    rates: Sequence[str],
    by_lot: npt.NDArray[np.int64] | None,
) -> dict[str, Any]:
    confidence = counted.settings.confidence
    values = fairlearn_rates(counts, partition.groups, rates)
    figures: dict[str, dict[str, Any]] = {
        group: {
            "rows": Figure("rows", int(of.sum()), int(of.sum())),
            "small": bool(of.sum() < counted.settings.smallest_group),
        }
        for group, of in zip(partition.groups, counts, strict=True)
    }
    for rate in rates:
        low, high = _rate_ends(drawn, rate, values[rate], confidence)
        hits, bases = hits_and_bases(counts, rate)
        units = independent_units(counts, by_lot, rate)
        for place, group in enumerate(partition.groups):
            value, n = values[rate][place], int(bases[place])
            ends = (low[place], high[place])
            # Where all outcomes of a group agree, resamples do too; and so do those of one unit.
            if n and len(drawn) and (hits[place] in (0, n) or units[place] < _FEWEST_UNITS):
                ends = wilson(float(value * units[place]), units[place], confidence)
            note = "" if n else "the group has no row of that kind"
            figures[group][rate] = Figure(
                rate, _or_none(value), n, _or_none(ends[0]), _or_none(ends[1]), note
            )
    if not counted.detection:
        ratios, intervals = impact_ratios(counts, drawn, confidence, by_lot)
        for place, group in enumerate(partition.groups):
            figures[group]["impact_ratio"] = Figure(
                "impact_ratio", _or_none(ratios[place]), int(counts.sum()), *intervals[place]
            )
    return figures


def _disparity_figure(
    counted: Counted,
    counts: npt.NDArray[np.int64],
    drawn: Floats,
    name: str,
    measure: Disparity,
    small: Sequence[str],
    by_lot: npt.NDArray[np.int64] | None,
) -> Figure:
    value = disparity(counts, measure)
    n = int(counts[:, [TP, FN]].sum() if counted.detection else counts.sum())
    if value is None:
        note = f"under two groups have a {' and a '.join(measure.rates)}, or all of them are 0"
        return Figure(name, None, n, note=note)
    low, high = disparity_interval(counts, drawn, measure, counted.settings.confidence, by_lot)
    note = ""
    if small:
        limit = counted.settings.smallest_group
        note = f"{len(small)} of {len(counts)} groups have under {limit} rows"
    return Figure(name, value, n, low, high, note)


def _four_fifths(figure: Figure) -> str:
    if figure.low is not None and figure.low >= FOUR_FIFTHS:
        return "holds"
    if figure.high is not None and figure.high < FOUR_FIFTHS:
        return "broken"
    return "undecided"


def _small(
    counts: npt.NDArray[np.int64], partition: Partition, settings: IntervalSettings
) -> list[str]:
    return [
        group
        for group, of in zip(partition.groups, counts, strict=True)
        if of.sum() < settings.smallest_group
    ]


def _rate_ends(
    drawn: Floats, rate: str, values: Floats, confidence: float
) -> tuple[Floats, Floats]:
    if not len(drawn):
        return np.full(len(values), np.nan), np.full(len(values), np.nan)
    return bias_corrected(values, rates_of(drawn, rate), confidence)


def _of_groups(counts: npt.NDArray[Any], partition: Partition) -> npt.NDArray[Any]:
    """Sums over what belongs to each group, from (..., groups, cells)."""
    parts = [counts[..., list(places), :].sum(axis=-2) for places in partition.members]
    return np.stack(parts, axis=-2)


def _or_none(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def surest(report: Mapping[str, Any], names: Sequence[str], *, lowest: bool) -> Figure | None:
    """The figure of these names that is worst for sure: whose better end is the worst of all.

    The largest value alone would be that of the smallest group, by chance.
    """
    figures = [
        part[name]
        for part in report.values()
        for name in names
        if name in part and part[name].value is not None
    ]
    return max(figures, key=lambda figure: _sureness(figure, lowest=lowest), default=None)


def _sureness(figure: Figure, *, lowest: bool) -> tuple[float, float]:
    assert figure.value is not None
    better = figure.high if lowest else figure.low
    sure = figure.value if better is None else better
    return (-sure, -figure.value) if lowest else (sure, figure.value)
