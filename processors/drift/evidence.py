"""Answers what samples say about drift: how far from their references, and if by chance."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from modeltrail.processors.drift.chi_square import chi_square
from modeltrail.processors.drift.collecting import Sample
from modeltrail.processors.drift.jensen_shannon import jensen_shannon_distance
from modeltrail.processors.drift.kolmogorov_smirnov import ks_distance, ks_p_value
from modeltrail.processors.drift.psi import expected_psi, psi
from modeltrail.processors.drift.reference import Feature
from modeltrail.processors.drift.shares import Counts, Floats
from modeltrail.schemas.events import FeatureKind


class Evidence(NamedTuple):
    """How far a feature is from its reference; `excess` is the PSI above what chance gives."""

    feature: Feature
    psi: float
    excess: float
    js: float
    statistic: float
    p_value: float
    samples: int
    effective: float


def weighed(samples: Sequence[Sample]) -> list[Evidence]:
    """Compare each sample with its reference, in the same order.

    Each gets what it would get alone, to the last digit.
    """
    groups: dict[tuple[FeatureKind, int], list[int]] = defaultdict(list)
    for number, sample in enumerate(samples):
        groups[sample.feature.kind, len(sample.counts)].append(number)
    found: dict[int, Evidence] = {}
    for (kind, _), members in groups.items():
        found.update(zip(members, _alike(kind, [samples[at] for at in members]), strict=True))
    return [found[number] for number in range(len(samples))]


def _alike(kind: FeatureKind, samples: Sequence[Sample]) -> list[Evidence]:
    """Samples of one kind over as many bins."""
    counts = _rows([sample.counts for sample in samples])
    known = _rows([sample.feature.counts for sample in samples])
    effective = np.array([sample.effective for sample in samples])
    reference = known.sum(axis=-1)
    told = effective > 0
    worth = np.where(told, effective, 1.0)
    if kind is FeatureKind.CATEGORICAL:
        statistic, p_value = chi_square(counts, known, worth)
        statistic = np.where(told, statistic, 0.0)
    else:
        statistic = ks_distance(counts, known)
        p_value = ks_p_value(statistic, worth, reference)
    shift = psi(counts, known)
    excess = shift - expected_psi(counts.shape[-1], worth, reference)
    columns: tuple[Floats, ...] = (
        shift,
        np.where(told, excess, 0.0),
        jensen_shannon_distance(counts, known),
        statistic,
        # Without an effective sample nothing is unlikely.
        np.where(told, p_value, 1.0),
        counts.sum(axis=-1).astype(np.int64),
        effective,
    )
    features = [sample.feature for sample in samples]
    return list(map(Evidence, features, *(column.tolist() for column in columns)))


def _rows(counts: Sequence[Counts]) -> Floats:
    """As `np.stack` of equally long counts, which takes far longer over many short ones."""
    return np.concatenate(counts, dtype=np.float64).reshape(len(counts), -1)
