"""Answers how well one can tell from a model's losses who was trained on: membership inference."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.counting import LOTS
from modeltrail.processors.ethics.dependence import effective_rows
from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.intervals import NONE, Interval, normal_quantile, wilson

Floats = npt.NDArray[np.float64]
Lots = npt.NDArray[np.integer[Any]]
_FALSE_ALARMS = 0.01
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Units:
    """The lot of each row whose rows depend on each other, in the order of the signals."""

    members: Lots
    others: Lots

    def counts(self) -> tuple[int, int]:
        """How many lots have members, and how many have others."""
        return len(np.unique(self.members)), len(np.unique(self.others))


def membership_report(
    members: Floats, others: Floats, confidence: float, units: Units | None = None
) -> tuple[dict[str, Any], list[str]]:
    """AUC and found members of an attack that takes high signals for members.

    Args:
        members: signal of each row that was trained on: confidence, or minus the loss.
        others: of each row that was not.
        confidence: of the intervals.
        units: which rows depend on each other; None: none do.

    Returns:
        The figures, and what could not be judged.
    """
    if min(len(members), len(others)) < _FEWEST:
        return {}, [
            f"privacy.membership: {len(members)} members and {len(others)} others, {_FEWEST} of "
            "each are needed: give more rows"
        ]
    n = len(members) + len(others)
    value, variance = auc(members, others, units)
    # An attacker may as well take low signals: below 0.5 the model leaks the other way round.
    notes = ["lower signals tell members here: look at the sign of the column"] * (value < 0.5)
    problems = []
    counts = units.counts() if units else (len(members), len(others))
    interval = _logit_interval(value, variance, *counts, confidence)
    if min(counts) < _FEWEST:
        few = (
            f"{counts[0]} units of members and {counts[1]} of others, {_FEWEST} of each are needed"
        )
        interval = NONE
        notes.append(f"no interval: {few}")
        problems.append(f"privacy.membership.auc: no interval from {few}: give data of more units")
    elif interval == NONE:
        notes.append("no interval: signals of members and others do not vary")
    found, limit = _found(members, others)
    worth, note = float(len(members)), f"signals above {limit:.6g}"
    if units is not None:
        worth = effective_rows(_by_lot(members > limit, units.members))
        note += f"; worth {worth:.0f} independent members"
    share = found / len(members)
    report = {
        "auc": Figure("membership_auc", value, n, *interval, "; ".join(notes)),
        "tpr_at_1_percent": Figure(
            "membership_tpr", share, len(members), *wilson(share * worth, worth, confidence), note
        ),
    }
    return report, problems


def auc(members: Floats, others: Floats, units: Units | None = None) -> tuple[float, float]:
    """The area under the ROC curve, ties counting half, and its variance.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; by ranks as in Sun and Xu,
    "Fast Implementation of DeLong's Algorithm", IEEE Signal Processing Letters 21, 2014; of units
    Obuchowski, "Nonparametric Analysis of Clustered ROC Curve Data", Biometrics 53, 1997, which is
    DeLong's where each row is a unit of its own.
    """
    m, n = len(members), len(others)
    ranks = _midranks(np.concatenate([members, others]))
    above = (ranks[:m] - _midranks(members)) / n
    below = 1 - (ranks[m:] - _midranks(others)) / m
    value = float(above.mean())
    if units is not None:
        return value, _clustered(above - value, below - value, units)
    variance = float(np.var(above, ddof=1) / m + np.var(below, ddof=1) / n)
    return value, variance


def _clustered(above: Floats, below: Floats, units: Units) -> float:
    """The variance from what each row's placement deviates, summed by unit."""
    of_members = np.bincount(units.members, above, minlength=LOTS) / len(above)
    of_others = np.bincount(units.others, below, minlength=LOTS) / len(below)
    both = len(np.unique(np.concatenate([units.members, units.others])))
    variance = sum(
        factor * count / max(1, count - 1) * float(np.sum(product))
        for factor, count, product in (
            (1, units.counts()[0], of_members**2),
            (1, units.counts()[1], of_others**2),
            (2, both, of_members * of_others),
        )
    )
    return max(0.0, variance)


def _by_lot(hits: npt.NDArray[np.bool_], lots: Lots) -> npt.NDArray[np.int64]:
    """Rows and hits of each lot that has rows, shape (lots, 2)."""
    rows = np.bincount(lots, minlength=LOTS)
    counts = np.stack([rows, np.bincount(lots[hits], minlength=LOTS)], axis=1)
    return counts[rows > 0].astype(np.int64)


def _midranks(values: Floats) -> Floats:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: Floats = (last - counts + 1 + last) / 2
    return middle[places]


def _logit_interval(
    value: float, variance: float, members: int, others: int, confidence: float
) -> Interval:
    """The interval on the logit, which stays within 0 and 1 (Pepe 2003, 5.2)."""
    if not 0 < value < 1:
        # Nothing overlaps: the bound of the next best AUC, by the rule of three.
        low = max(0.0, 1 - 3 / min(members, others))
        return (low, 1.0) if value == 1 else (0.0, 1 - low)
    error = math.sqrt(variance) / (value * (1 - value))
    if error == 0:
        return NONE
    centre, half = math.log(value / (1 - value)), normal_quantile((1 + confidence) / 2) * error
    return _logistic(centre - half), _logistic(centre + half)


def _logistic(value: float) -> float:
    # From either side, so that no power overflows.
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))


def _found(members: Floats, others: Floats) -> tuple[int, float]:
    """Members above the lowest limit that at most one in a hundred of the others is above."""
    ordered = np.sort(others)
    limit = float(ordered[len(ordered) - 1 - math.floor(len(ordered) * _FALSE_ALARMS)])
    return int(np.sum(members > limit)), limit
