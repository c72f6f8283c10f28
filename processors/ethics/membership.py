"""Answers how well one can tell from a model's losses who was trained on: membership inference."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.intervals import NONE, Interval, normal_quantile, wilson

Floats = npt.NDArray[np.float64]
_FALSE_ALARMS = 0.01
_FEWEST = 10


def membership_report(
    members: Floats, others: Floats, confidence: float
) -> tuple[dict[str, Any], list[str]]:
    """AUC and found members of an attack that takes high signals for members.

    Args:
        members: signal of each row that was trained on: confidence, or minus the loss.
        others: of each row that was not.
        confidence: of the intervals.

    Returns:
        The figures, and what could not be judged.
    """
    if min(len(members), len(others)) < _FEWEST:
        return {}, [
            f"privacy.membership: {len(members)} members and {len(others)} others, {_FEWEST} of "
            "each are needed: give more rows"
        ]
    n = len(members) + len(others)
    value, variance = auc(members, others)
    # An attacker may as well take low signals: below 0.5 the model leaks the other way round.
    note = "lower signals tell members here: look at the sign of the column" if value < 0.5 else ""
    low, high = _logit_interval(value, variance, len(members), len(others), confidence)
    found, limit = _found(members, others)
    report = {
        "auc": Figure("membership_auc", value, n, low, high, note),
        "tpr_at_1_percent": Figure(
            "membership_tpr", found / len(members), len(members),
            *wilson(found, len(members), confidence), f"signals above {limit:.6g}",
        ),
    }  # fmt: skip
    return report, []


def auc(members: Floats, others: Floats) -> tuple[float, float]:
    """The area under the ROC curve, ties counting half, and DeLong's variance of it.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; by ranks as in Sun and Xu,
    "Fast Implementation of DeLong's Algorithm", IEEE Signal Processing Letters 21, 2014.
    """
    m, n = len(members), len(others)
    ranks = _midranks(np.concatenate([members, others]))
    above = (ranks[:m] - _midranks(members)) / n
    below = 1 - (ranks[m:] - _midranks(others)) / m
    variance = float(np.var(above, ddof=1) / m + np.var(below, ddof=1) / n)
    return float(above.mean()), variance


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
