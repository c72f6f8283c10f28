"""Says for one feature, step by step as the papers do, what the drift fold computes for many."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special  # type: ignore[import-untyped]

from modeltrail.processors.drift.reference import Feature
from modeltrail.schemas.events import FeatureKind

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plain:
    """What is measured of one feature."""

    psi: float
    js: float
    statistic: float
    p_value: float
    samples: int
    effective: float


def plain_drift(
    feature: Feature, buckets: Numbers, buckets_a_window: int, enough: float
) -> Plain | None:
    """Compare the newest windows with the reference; buckets have shape (buckets, bins)."""
    windows = buckets.reshape(-1, buckets_a_window, buckets.shape[1]).sum(axis=1)[::-1]
    if not windows[0].any():
        return None
    worth = _values_per_independent(feature, buckets)
    counts, effective = windows[0], 0.0
    if worth is not None:
        for window in windows[1:]:
            if counts.sum() >= enough * worth:
                break
            counts = counts + window
        effective = float(counts.sum()) / worth
    known = feature.counts.astype(float)
    statistic, p_value = _tested(feature.kind, counts, known, effective)
    return Plain(
        _psi(counts, known),
        _jensen_shannon(counts, known),
        statistic,
        p_value,
        int(counts.sum()),
        effective,
    )


def _psi(counts: Numbers, known: Numbers) -> float:
    p = [max(count, 0.5) / counts.sum() for count in counts]
    q = [max(count, 0.5) / known.sum() for count in known]
    return math.fsum((x - y) * math.log(x / y) for x, y in zip(p, q, strict=True))


def _jensen_shannon(counts: Numbers, known: Numbers) -> float:
    divergence = 0.0
    for p, q in zip(counts / counts.sum(), known / known.sum(), strict=True):
        for share in (p, q):
            if share:
                divergence += share * math.log2(share / ((p + q) / 2)) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def _tested(
    kind: FeatureKind, counts: Numbers, known: Numbers, effective: float
) -> tuple[float, float]:
    m = float(known.sum())
    if kind is FeatureKind.NUMERIC:
        distance = float(np.abs(np.cumsum(counts / counts.sum() - known / m)).max())
        if not effective:
            return distance, 1.0
        root = math.sqrt(effective * m / (effective + m))
        return distance, float(special.kolmogorov(distance * (root + 0.12 + 0.11 / root)))
    if not effective:
        return 0.0, 1.0
    held = counts + known > 0
    seen, known = counts[held] * effective / counts.sum(), known[held]
    pooled = (seen + known) / (effective + m)
    statistic = 0.0
    for observed, n in ((seen, effective), (known, m)):
        statistic += float(((observed - n * pooled) ** 2 / (n * pooled)).sum())
    degrees = int(held.sum()) - 1
    return statistic, float(special.chdtrc(degrees, statistic)) if degrees else 1.0


def _values_per_independent(feature: Feature, buckets: Numbers) -> float | None:
    sizes = buckets.sum(axis=1)
    held = (sizes > 0) & (2 * sizes >= np.median(sizes[sizes > 0]))
    if held.sum() < 6:
        return None
    counts, sizes = buckets[held], sizes[held]
    ratios = []
    for score in _scores(feature):
        means = np.array([(row @ score) / row.sum() for row in counts])
        squares = np.array([(row @ score**2) / row.sum() for row in counts])
        within = float(np.mean(squares - means**2))
        between, long_run = _variances(means)
        variance = (within if within > 1e-14 else 0.0) + between
        if long_run > 1e-28:
            ratios.append(long_run / (variance if variance > 1e-28 else long_run))
    if not ratios:
        return float(sizes.mean())
    return max(1.0, float(sizes.mean()) * max(ratios) * (1 + 10 / len(counts)))


def _scores(feature: Feature) -> list[Numbers]:
    if feature.kind is FeatureKind.CATEGORICAL:
        return list(np.eye(len(feature.counts)))
    shares = feature.counts / feature.counts.sum()
    ranks = np.cumsum(shares) - shares / 2
    return [ranks, np.abs(ranks - 0.5)]


def _variances(means: Numbers) -> tuple[float, float]:
    scatter = {lag: _scatter(means, lag) for lag in (1, 2)}
    reach = 2
    if len(means) >= 12:
        scatter |= {lag: _scatter(means, lag) for lag in (3, 4)}
        if scatter[4] > scatter[2] * (1 + 2.5 / math.sqrt(len(means))):
            reach = 4
    covariances = sum(scatter[reach] - scatter[lag] for lag in range(1, reach))
    return scatter[reach], max(scatter[reach] + 2 * covariances, scatter[1])


def _scatter(means: Numbers, lag: int) -> float:
    squares = np.sort((means[lag:] - means[:-lag]) ** 2)
    ceiling = 9 / 0.4549 * squares[len(squares) // 2]
    if ceiling > 1e-28:
        squares = np.minimum(squares, ceiling)
    return float(squares[:-lag].mean()) / 2
