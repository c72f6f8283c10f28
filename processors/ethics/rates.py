"""Answers the rates of groups: fairlearn's for the data itself, the same from counts of resamples.

fairlearn is given one row a cell of the counts and how many rows that stands for, so a million rows
cost as much as ten.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import accuracy_score

from modeltrail.processors.ethics.counting import CELLS, FN, FP, TN, TN_WRONG, TP

Floats = npt.NDArray[np.float64]

#: Of each rate the cells that hit, and the cells that it is a share of.
RATES: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = MappingProxyType(
    {
        "selection_rate": ((TP, FP), (TP, FN, FP, TN, TN_WRONG)),
        "true_positive_rate": ((TP,), (TP, FN)),
        "false_positive_rate": ((FP,), (FP, TN, TN_WRONG)),
        "false_negative_rate": ((FN,), (TP, FN)),
        "accuracy": ((TP, TN), (TP, FN, FP, TN, TN_WRONG)),
    }
)
#: A face that is there is a positive truth, and one that was missed a false negative.
DETECTION_RATES = ("miss_rate",)
_CELLS_OF = {**RATES, "miss_rate": RATES["false_negative_rate"]}
_TRUE = np.array([1, 1, 0, 0, 0])
_PREDICTED = np.array([1, 0, 1, 0, 0])
_RIGHT = np.array([1, 0, 0, 1, 0])


def hits_and_bases(counts: npt.NDArray[Any], rate: str) -> tuple[Floats, Floats]:
    """What a rate is the ratio of, shape (..., groups), from counts (..., groups, cells)."""
    hits, base = _CELLS_OF[rate]
    return counts[..., list(hits)].sum(-1).astype(float), counts[..., list(base)].sum(-1).astype(
        float
    )


def rates_of(counts: npt.NDArray[Any], rate: str) -> Floats:
    """A rate of each group, NaN where a group has nothing that it is a share of."""
    hits, bases = hits_and_bases(counts, rate)
    rates: Floats = np.divide(hits, bases, out=np.full(bases.shape, np.nan), where=bases > 0)
    return rates


def fairlearn_rates(
    counts: npt.NDArray[np.int64], names: Sequence[str], rates: Sequence[str]
) -> dict[str, Floats]:
    """Rates of each group as `MetricFrame` has them, NaN where it has none.

    Args:
        counts: shape (groups, cells), each group with at least one row.
        names: of the groups.
        rates: which.
    """
    functions = {
        "selection_rate": selection_rate,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
        "false_negative_rate": false_negative_rate,
        "miss_rate": false_negative_rate,
        "accuracy": accuracy_score,
    }
    groups, cells = np.divmod(np.flatnonzero(counts), CELLS)
    weights = counts.reshape(-1)[np.flatnonzero(counts)]
    found = {}
    for rate in rates:
        # Several labels count as wrong in one way: of accuracy, whether it was right is the truth.
        truth, predicted = (_TRUE, _PREDICTED) if rate != "accuracy" else (np.ones(CELLS), _RIGHT)
        frame = MetricFrame(
            metrics=functions[rate],
            y_true=truth[cells],
            y_pred=predicted[cells],
            sensitive_features=groups,
            sample_params={"sample_weight": weights},
        )
        values = np.full(len(names), np.nan)
        values[np.asarray(frame.by_group.index, int)] = frame.by_group.to_numpy(float)
        # fairlearn calls a share of nothing 0: that would make a group without cases look bad.
        _, bases = hits_and_bases(counts, rate)
        found[rate] = np.where(bases > 0, values, np.nan)
    return found


def spread(rates: Floats) -> Floats:
    """Highest less lowest of the groups, over the last axis; NaN under two groups with a rate."""
    low, high, enough = _ends(rates)
    return np.where(enough, high - low, np.nan)


def ratio(rates: Floats) -> Floats:
    """Lowest over highest of the groups; NaN under two groups, or where the highest is 0."""
    low, high, enough = _ends(rates)
    usable = enough & (high > 0)
    ratios: Floats = np.divide(low, high, out=np.full(high.shape, np.nan), where=usable)
    return ratios


def _ends(rates: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    defined = np.isfinite(rates)
    low = np.where(defined, rates, np.inf).min(axis=-1)
    high = np.where(defined, rates, -np.inf).max(axis=-1)
    enough = defined.sum(axis=-1) >= 2
    return np.where(enough, low, 0.0), np.where(enough, high, 0.0), enough
