"""Answers which runs repeat each other, and what their metrics are on average."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modeltrail.producers.errors import UnknownRun
from modeltrail.producers.experiments.comparison import Comparison, RepeatedRuns
from modeltrail.schemas.intervals import mean_interval
from modeltrail.schemas.run_settings import but_for_the_seed, is_seed


def repeated_runs(
    runs: Mapping[str, Comparison],
    differences: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, Sequence[str]] | None = None,
) -> tuple[RepeatedRuns, ...]:
    """The groups of runs that repeat each other, with means over their final metrics.

    Without `groups`, finished runs of one experiment whose settings differ by the random seed at
    most; a group has two runs or more. With `groups`, ids of `runs` by the group's name.

    Raises:
        UnknownRun: a group names a run that is not among `runs`.
    """
    if groups is None:
        return tuple(
            _group(_name(runs, members, differences), members, runs)
            for members in _alike(runs)
            if len(members) > 1
        )
    for name, members in groups.items():
        if missing := [each for each in members if each not in runs]:
            raise UnknownRun(
                f"group {name[:80]!r} names run {missing[0][:80]!r}, which is not compared: "
                "give its id too, or leave it out of the group"
            )
    return tuple(_group(name, tuple(members), runs) for name, members in groups.items())


def _alike(runs: Mapping[str, Comparison]) -> Iterable[tuple[str, ...]]:
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for asked, run in runs.items():
        if run.status == "finished":
            same = (run.experiment_id, but_for_the_seed(run.settings))
            # A run that was asked for by two names counts once.
            found[same].setdefault(run.run_id, asked)
    return [tuple(members.values()) for members in found.values()]


def _name(
    runs: Mapping[str, Comparison],
    members: Sequence[str],
    differences: Mapping[str, Mapping[str, Any]],
) -> str:
    first = runs[members[0]]
    varied = [
        f"{name}={first.settings[name]}"
        for name in differences
        if name in first.settings and not is_seed(name)
    ]
    return " ".join([first.experiment_id, *varied])


def _group(name: str, members: tuple[str, ...], runs: Mapping[str, Comparison]) -> RepeatedRuns:
    finals = [runs[member].final_metrics for member in members]
    names = dict.fromkeys(metric for each in finals for metric in each)
    return RepeatedRuns(
        name,
        members,
        {
            metric: mean_interval([each[metric] for each in finals if metric in each])
            for metric in names
        },
    )
