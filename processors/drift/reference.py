"""Compiles a reference profile into what counts a window's values over the reference's bins."""

import math
from dataclasses import dataclass

import numpy as np

from modeltrail.processors.drift.effective_samples import category_scores, rank_scores
from modeltrail.processors.drift.shares import Counts, Floats
from modeltrail.schemas.events import FeatureKind, FeatureProfile, MetricWindow, ReferenceProfiled
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.sketch import Bins, bins_of, snapped


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One feature of a reference.

    Attributes:
        counts: values of the reference in each bin; a categorical feature ends with one bin more,
            for categories that the reference does not have.
        starts: of a numeric feature the first sketch bin of each bin but the first; of a
            categorical one the sketch bin of each category, rising.
        scores: what its dependence is judged by, shape (scores, bins).
    """

    name: str
    kind: FeatureKind
    counts: Counts
    starts: Bins
    scores: Floats

    def count(self, metric: MetricWindow) -> Counts:
        """Values of a window in each bin of the reference, exact for its edges."""
        bins = np.asarray(metric.bins, dtype=np.int32)
        places = np.searchsorted(self.starts, bins, side="right")
        if self.kind is FeatureKind.CATEGORICAL:
            places -= 1
            places[(places < 0) | (self.starts[places] != bins)] = len(self.starts)
        return np.bincount(places, metric.counts, len(self.counts)).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A compiled profile; `slices` are where the bins of each feature lie in a row of counts."""

    profile_id: EventId
    features: tuple[Feature, ...]
    slices: tuple[slice, ...]
    width: int


def compiled(profile: ReferenceProfiled) -> Reference:
    """The profile without the features that cannot be compared: no values, or no two bins."""
    candidates = map(_feature, profile.features)
    features = tuple(feature for feature in candidates if feature is not None)
    ends = np.cumsum([len(feature.counts) for feature in features], dtype=int).tolist()
    slices = tuple(
        slice(end - len(feature.counts), end) for feature, end in zip(features, ends, strict=True)
    )
    return Reference(profile.event_id, features, slices, ends[-1] if ends else 0)


def _feature(profile: FeatureProfile) -> Feature | None:
    counts = np.array(profile.counts, dtype=np.int64)
    if counts.sum() < 1 or (counts < 0).any():
        return None
    if profile.kind is FeatureKind.NUMERIC:
        return _numeric(profile, counts)
    if profile.kind is FeatureKind.CATEGORICAL:
        return _categorical(profile, counts)
    return None


def _numeric(profile: FeatureProfile, counts: Counts) -> Feature | None:
    if not profile.edges or not all(map(math.isfinite, profile.edges)):
        return None
    edges = np.array([snapped(edge) for edge in profile.edges])
    # Below zero a value on an edge is in the sketch bin under it.
    starts = bins_of(edges) + (edges < 0)
    if len(counts) != len(edges) + 1 or (np.diff(starts) <= 0).any():
        return None
    return Feature(profile.name, profile.kind, counts, starts, rank_scores(counts))


def _categorical(profile: FeatureProfile, counts: Counts) -> Feature | None:
    try:
        values = np.array([float(category) for category in profile.categories])
    except ValueError:
        return None
    if len(counts) != len(values) or not np.isfinite(values).all():
        return None
    starts, places = np.unique(bins_of(values), return_inverse=True)
    totals = np.append(np.bincount(places, counts, len(starts)).astype(np.int64), 0)
    return Feature(profile.name, profile.kind, totals, starts, category_scores(len(totals)))
