"""Answers how a version did on live frames: means with intervals and quantiles, from windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from modeltrail.processors.documents.citing import Cited, Source, source_of
from modeltrail.processors.documents.intervals import of_windows
from modeltrail.processors.documents.model_dossier import ModelDossier
from modeltrail.schemas.events import MetricWindow, WindowClosed
from modeltrail.schemas.intervals import MeanInterval
from modeltrail.schemas.sketch import merged, quantile


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of the version in one environment and arm, over all of its windows.

    Quantiles are within 0.4 % of a measured value; `means` are those of the windows in a row.
    """

    environment: str
    arm: str
    metric: str
    mean: MeanInterval
    p50: float
    p95: float
    p99: float
    means: tuple[float, ...]
    source: Source


def measured(dossier: ModelDossier) -> list[Measured]:
    """Every metric of every environment and arm."""
    found = []
    for (environment, arm), windows in sorted(dossier.windows.items()):
        cited = [windows[start] for start in sorted(windows)]
        names = {metric.name for one in cited for metric in _window(one).metrics if metric.count}
        found += [_of_metric(environment, arm, name, cited) for name in sorted(names)]
    return found


def _of_metric(environment: str, arm: str, name: str, windows: Sequence[Cited]) -> Measured:
    having = [
        (one, metric)
        for one in windows
        for metric in _window(one).metrics
        if metric.name == name and metric.count
    ]
    metrics: list[MetricWindow] = [metric for _, metric in having]
    bins, counts = merged((metric.bins, metric.counts) for metric in metrics)
    low = min(metric.min for metric in metrics)
    high = max(metric.max for metric in metrics)
    p50, p95, p99 = (quantile(bins, counts, q, low, high) for q in (0.5, 0.95, 0.99))
    means = tuple(metric.mean for metric in metrics)
    return Measured(
        environment,
        arm,
        name,
        of_windows(means, [metric.count for metric in metrics]),
        p50,
        p95,
        p99,
        means,
        source_of(*(one for one, _ in having)),
    )


def _window(cited: Cited) -> WindowClosed:
    return cast(WindowClosed, cited.fact)
