"""Measures what the conclusions of an experiment report rest on, each finding with its number.

separation, overlap
    Between the best two groups of repeated runs: how far their 95 % intervals of a metric lie
    apart, or overlap; in the unit of the metric.
best
    Runs that have a final value of the metric that the best run leads.
unrepeated_configurations, few_repeats
    Configurations that finished once; how often a configuration was repeated.
still_improving, worse_than_best
    Of the range of a run's curve of ten steps or more: how much its best value got better in the
    last tenth of the steps, and how far the last value is behind the best.
failed_share
    Share of the ended runs that did not finish.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modeltrail.processors.documents.citing import Cited
from modeltrail.processors.documents.experiment_dossier import Point, Run
from modeltrail.schemas.intervals import MeanInterval, mean_interval
from modeltrail.schemas.metric_directions import is_higher_better
from modeltrail.schemas.run_settings import but_for_the_seed, configuration_differences, is_seed

FEWEST_STEPS = 10
#: The squares of larger values, and their sums, are no floats any more.
_LARGEST = 1e150


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was measured: `subject` in words, the facts that it rests on."""

    name: str
    subject: str
    metric: str
    value: float
    cited: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Finished runs whose settings differ by the seed at most, and the mean of a final metric."""

    name: str
    metric: str
    runs: tuple[Run, ...]
    estimate: MeanInterval
    cited: tuple[Cited, ...]


def _is_comparable(value: float) -> bool:
    return abs(value) < _LARGEST


def metrics_of(runs: Sequence[Run]) -> list[str]:
    """The names of all metrics, those of most runs first."""
    names = {name for run in runs for name in run.points}
    return sorted(names, key=lambda name: (-sum(name in run.points for run in runs), name))


def repeats_of(runs: Sequence[Run], metric: str) -> list[Repeats]:
    """Groups of finished runs with the same settings, the best first."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.finished and run.final(metric) is not None:
            groups[but_for_the_seed(run.settings)].append(run)
    found = []
    differing = configuration_differences({run.run_id: run.settings for run in runs})
    varied = [name for name in differing if not is_seed(name)]
    for members in groups.values():
        points = [point for run in members if (point := run.final(metric)) is not None]
        values = [point.value for point in points if _is_comparable(point.value)]
        if values:
            found.append(
                Repeats(
                    _name(members[0], varied),
                    metric,
                    tuple(members),
                    mean_interval(values),
                    tuple(point.cited for point in points),
                )
            )
    return sorted(found, key=lambda each: each.estimate.mean, reverse=is_higher_better(metric))


def _name(run: Run, varied: Sequence[str]) -> str:
    settings = [f"{name}={run.settings[name]}" for name in varied if name in run.settings]
    return " ".join(settings) or "the one configuration"


def best_run(runs: Sequence[Run], metric: str) -> tuple[Run, Point] | None:
    """The finished run with the best final value of a metric."""
    having = [
        (run, point)
        for run in runs
        if run.finished and (point := run.final(metric)) and _is_comparable(point.value)
    ]
    sign = -1 if is_higher_better(metric) else 1
    return min(having, key=lambda pair: sign * pair[1].value, default=None)


def findings(runs: Sequence[Run]) -> Iterator[Finding]:
    """Everything that can be found in the runs of one experiment."""
    for place, metric in enumerate(metrics_of(runs)):
        groups = repeats_of(runs, metric)
        # How often a configuration was run is the same whatever metric is looked at.
        if place == 0:
            yield from _of_counts(groups, metric)
        yield from _of_means(groups, metric)
        if (best := best_run(runs, metric)) is not None:
            others = [run.final(metric) for run in runs if run is not best[0]]
            cited = tuple(point.cited for point in (best[1], *others) if point is not None)
            yield Finding("best", best[0].run_id, metric, len(cited), cited)
        for run in runs:
            yield from _of_curve(run, metric)
    failed = [run for run in runs if run.ended is not None and not run.finished]
    ends = tuple(run.ended for run in runs if run.ended is not None)
    if ends:
        yield Finding("failed_share", "", "", len(failed) / len(ends), ends)


def _of_counts(groups: Sequence[Repeats], metric: str) -> Iterator[Finding]:
    single = [group for group in groups if len(group.runs) == 1]
    if single:
        cited = tuple(one for group in single for one in group.cited)
        yield Finding("unrepeated_configurations", "", metric, len(single), cited)
    for group in groups:
        if len(group.runs) > 1:
            yield Finding("few_repeats", group.name, metric, len(group.runs), group.cited)


def _of_means(groups: Sequence[Repeats], metric: str) -> Iterator[Finding]:
    repeated = [group for group in groups if group.estimate.low is not None]
    if len(repeated) < 2:
        return
    first, second = repeated[:2]
    gap = _gap(first.estimate, second.estimate)
    cited = first.cited + second.cited
    if gap > 0:
        yield Finding(
            "separation", f"{first.name} is better than {second.name}", metric, gap, cited
        )
    else:
        yield Finding("overlap", f"{first.name} and {second.name}", metric, -gap, cited)


def _gap(one: MeanInterval, other: MeanInterval) -> float:
    """How far two intervals lie apart; below zero they overlap."""
    assert one.low is not None
    assert one.high is not None
    assert other.low is not None
    assert other.high is not None
    return max(one.low - other.high, other.low - one.high)


def _of_curve(run: Run, metric: str) -> Iterator[Finding]:
    curve = [point for point in run.curve(metric) if _is_comparable(point.value)]
    if len(curve) < FEWEST_STEPS:
        return
    sign = 1 if is_higher_better(metric) else -1
    values = [sign * point.value for point in curve]
    span = max(values) - min(values)
    if span == 0:
        return
    tail = max(1, len(values) // 10)
    best_before, best = max(values[:-tail]), max(values)
    last = (curve[-1].cited,)
    yield Finding("still_improving", run.run_id, metric, (best - best_before) / span, last)
    at_best = curve[values.index(best)].cited
    yield Finding(
        "worse_than_best", run.run_id, metric, (best - values[-1]) / span, (at_best, *last)
    )
