"""Answers what a feature's counts say about drift, over as many windows as it takes.

A window of strongly dependent values is worth few independent ones. So windows are added to the one
that ends, backwards, until together they are worth enough, for an hour at most.
"""

from dataclasses import dataclass

import numpy as np

from modeltrail.processors.drift.chi_square import chi_square
from modeltrail.processors.drift.effective_samples import values_per_independent
from modeltrail.processors.drift.jensen_shannon import jensen_shannon_distance
from modeltrail.processors.drift.kolmogorov_smirnov import ks_distance, ks_p_value
from modeltrail.processors.drift.psi import expected_psi, psi
from modeltrail.processors.drift.reference import Feature
from modeltrail.processors.drift.shares import Counts
from modeltrail.schemas.events import FeatureKind


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far a feature is from its reference; `excess` is the PSI above what chance gives."""

    feature: Feature
    psi: float
    excess: float
    js: float
    statistic: float
    p_value: float
    samples: int
    effective: float


def weigh(
    feature: Feature, buckets: Counts, buckets_a_window: int, enough: float
) -> Evidence | None:
    """Compare the newest windows with the reference; None: the newest has no values.

    Args:
        feature: the reference's side.
        buckets: shape (buckets, bins), in the order of time; whole windows.
        buckets_a_window: how many buckets make one.
        enough: effective samples to collect, in as few windows as possible.
    """
    windows = buckets.reshape(-1, buckets_a_window, buckets.shape[1]).sum(axis=1)
    if not windows[-1].any():
        return None
    collected = np.cumsum(windows[::-1], axis=0)
    samples = collected.sum(axis=1)
    worth = values_per_independent(buckets, feature.scores)
    if worth is None:
        return _evidence(feature, collected[0], 0.0)
    reached = min(int(np.searchsorted(samples, enough * worth)), len(samples) - 1)
    return _evidence(feature, collected[reached], float(samples[reached]) / worth)


def _evidence(feature: Feature, counts: Counts, effective: float) -> Evidence:
    reference = float(feature.counts.sum())
    statistic, p_value = _tested(feature, counts, effective)
    shift = psi(counts, feature.counts)
    return Evidence(
        feature,
        psi=shift,
        excess=shift - expected_psi(len(counts), effective, reference) if effective else 0.0,
        js=jensen_shannon_distance(counts, feature.counts),
        statistic=statistic,
        p_value=p_value,
        samples=int(counts.sum()),
        effective=effective,
    )


def _tested(feature: Feature, counts: Counts, effective: float) -> tuple[float, float]:
    """Statistic and p-value; without an effective sample nothing is unlikely."""
    if feature.kind is FeatureKind.CATEGORICAL:
        return chi_square(counts, feature.counts, effective) if effective else (0.0, 1.0)
    distance = ks_distance(counts, feature.counts)
    reference = float(feature.counts.sum())
    return distance, ks_p_value(distance, effective, reference) if effective else 1.0
