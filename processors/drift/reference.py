"""Compiles a reference profile into what windows are counted over and compared with."""

import math
from dataclasses import dataclass

import numpy as np

from modeltrail.processors.drift.effective_samples import category_weights, rank_weights
from modeltrail.processors.drift.shares import Counts, Floats
from modeltrail.schemas.events import FeatureKind, FeatureProfile, ReferenceProfiled
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.sketch import Bins, Integers, bins_of, snapped

#: Sketch bins have 32 bits: above them goes the number of the feature whose they are.
FEATURE = np.int64(1 << 32)


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One feature of a reference.

    Attributes:
        counts: values of the reference in each bin; a categorical feature ends with one bin more,
            for categories that the reference does not have.
        starts: of a numeric feature the first sketch bin of each bin but the first; of a
            categorical one the sketch bin of each category, rising.
        weights: of its bins, to tell dependence from, shape (1 + 2 scores, bins).
    """

    name: str
    kind: FeatureKind
    counts: Counts
    starts: Bins
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A compiled profile.

    Attributes:
        slices: where the bins of each feature lie in a row of counts.
        starts: those of all features, with the number of each feature above its bits.
        width: of a row of counts.
    """

    profile_id: EventId
    features: tuple[Feature, ...]
    slices: tuple[slice, ...]
    starts: Integers
    width: int


def compiled(profile: ReferenceProfiled) -> Reference:
    """The profile without the features that cannot be compared: no values, or no two bins."""
    candidates = map(_feature, profile.features)
    features = tuple(feature for feature in candidates if feature is not None)
    ends = np.cumsum([len(feature.counts) for feature in features], dtype=int).tolist()
    slices = tuple(
        slice(end - len(feature.counts), end) for feature, end in zip(features, ends, strict=True)
    )
    starts = [FEATURE * number + feature.starts for number, feature in enumerate(features)]
    all_starts = np.concatenate([np.zeros(0, dtype=np.int64), *starts])
    return Reference(profile.event_id, features, slices, all_starts, ends[-1] if ends else 0)


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
    return Feature(profile.name, profile.kind, counts, starts, rank_weights(counts))


def _categorical(profile: FeatureProfile, counts: Counts) -> Feature | None:
    try:
        values = np.array([float(category) for category in profile.categories])
    except ValueError:
        return None
    if len(counts) != len(values) or not np.isfinite(values).all():
        return None
    starts, places = np.unique(bins_of(values), return_inverse=True)
    totals = np.append(np.bincount(places, counts, len(starts)).astype(np.int64), 0)
    return Feature(profile.name, profile.kind, totals, starts, category_weights(len(totals)))
