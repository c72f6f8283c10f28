"""Answers over which values a window is judged: its own, and those of windows before it if need be.

A window of strongly dependent values is worth few independent ones. So windows are added to the one
that ends, backwards, until together they are worth enough, for an hour at most.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from modeltrail.processors.drift.effective_samples import values_per_independent
from modeltrail.processors.drift.history import History
from modeltrail.processors.drift.reference import Feature
from modeltrail.processors.drift.shares import Floats
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.sketch import Flags

#: The length of a window in buckets, the number of weights of a bin, and that of known buckets.
_Group = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The last hour of one series, and what of it is to be judged.

    Attributes:
        history: of the series.
        end: of the newest window.
        known: which buckets of the hour there are.
        features: those of its reference, with the places of their bins.
        buckets_a_window: how many buckets make one window; an hour is whole windows.
        enough: effective samples to collect, in as few windows as possible.
    """

    history: History
    end: Micros
    known: Flags
    features: Sequence[tuple[Feature, slice]]
    buckets_a_window: int
    enough: float


class Sample(NamedTuple):
    """Values of one feature, shape (bins,), and how many independent ones they are worth."""

    feature: Feature
    counts: Floats
    effective: float


class _Reached(NamedTuple):
    """How many of the last buckets are collected, 0 if the newest window has no values."""

    buckets: int
    effective: float


def collected(stretches: Sequence[Stretch]) -> list[list[Sample]]:
    """The samples of each stretch, of the features that have values in the newest window.

    Each gets what it would get alone, to the last digit.
    """
    groups_of = list(map(_groups_of, stretches))
    members: dict[_Group, list[Stretch]] = defaultdict(list)
    for stretch, groups in zip(stretches, groups_of, strict=True):
        for group in groups:
            members[group].append(stretch)
    sums = {group: np.empty((len(alike), *group[1:])) for group, alike in members.items()}
    rows = {group: iter(empty) for group, empty in sums.items()}
    newest: list[Floats] = []
    for stretch, groups in zip(stretches, groups_of, strict=True):
        buckets = stretch.history.until(stretch.end, stretch.known)
        recent = np.count_nonzero(stretch.known[-stretch.buckets_a_window :])
        newest.append(buckets[len(buckets) - recent :].sum(axis=0))
        for (feature, bins), group in zip(stretch.features, groups, strict=True):
            np.matmul(feature.weights, buckets[:, bins].T, out=next(rows[group]))
    reached = {group: iter(_reached(alike, sums[group])) for group, alike in members.items()}
    return [
        _samples(stretch, values, [next(reached[group]) for group in groups])
        for stretch, values, groups in zip(stretches, newest, groups_of, strict=True)
    ]


def _groups_of(stretch: Stretch) -> list[_Group]:
    """Of each feature what it has in common with those that it is stacked with."""
    buckets = int(np.count_nonzero(stretch.known))
    window = stretch.buckets_a_window
    return [(window, len(feature.weights), buckets) for feature, _ in stretch.features]


def _reached(stretches: Sequence[Stretch], sums: Floats) -> list[_Reached]:
    """Of one feature of each stretch, by weights times counts, (n, 1 + 2 scores, buckets)."""
    known = np.concatenate([stretch.known for stretch in stretches])
    sizes = np.zeros(len(known))
    sizes[known] = sums[:, 0].ravel()
    buckets_a_window = stretches[0].buckets_a_window
    windows = sizes.reshape(len(sums), -1, buckets_a_window).sum(axis=-1)
    values = np.cumsum(windows[:, ::-1], axis=-1)
    enough = np.array([stretch.enough for stretch in stretches])
    worth = values_per_independent(sums)
    # Nothing is less than NaN: where nobody knows what values are worth, one window has to do.
    short = np.count_nonzero(values < (enough * worth)[:, None], axis=-1)
    last = np.minimum(short, values.shape[-1] - 1)
    effective = values[np.arange(len(sums)), last] / worth
    effective[np.isnan(worth)] = 0.0
    buckets = np.where(values[:, 0] > 0, (last + 1) * buckets_a_window, 0)
    return list(map(_Reached, buckets.tolist(), effective.tolist()))


def _samples(stretch: Stretch, newest: Floats, reached: Sequence[_Reached]) -> list[Sample]:
    """From the values of the newest window, shape (width,), and how far each feature reached."""
    totals = {stretch.buckets_a_window: newest}
    samples = []
    for (feature, bins), (buckets, effective) in zip(stretch.features, reached, strict=True):
        if not buckets:
            continue
        if buckets not in totals:
            totals[buckets] = stretch.history.until(stretch.end, stretch.known[-buckets:]).sum(0)
        samples.append(Sample(feature, totals[buckets][bins], effective))
    return samples
