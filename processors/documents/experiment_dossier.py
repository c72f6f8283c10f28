"""Folds what the log says of an experiment's runs into what its report tells."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from modeltrail.processors.documents.citing import Cited
from modeltrail.schemas.events import (
    ArtifactLogged,
    MetricsLogged,
    ParamsLogged,
    RunEnded,
    RunStarted,
    RunStatus,
    RunTagSet,
)
from modeltrail.schemas.ids import EventId, ExperimentId, RunId
from modeltrail.schemas.run_settings import flattened

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric and the fact that logged it; a final value has no step."""

    step: int | None
    value: float
    cited: Cited


@dataclass(slots=True)
class Run:
    """One run: how it was set up, what it logged, how it ended.

    `configured` are the facts that its settings come from.
    """

    started: Cited
    settings: dict[str, Any]
    points: dict[str, list[Point]] = field(default_factory=dict)
    artifacts: dict[str, Cited] = field(default_factory=dict)
    tags: dict[str, Cited] = field(default_factory=dict)
    configured: list[Cited] = field(default_factory=list)
    ended: Cited | None = None

    @property
    def run_id(self) -> RunId:
        """Which run."""
        return cast(RunStarted, self.started.fact).run_id

    @property
    def status(self) -> str:
        """How it ended, or that it did not."""
        return str(cast(RunEnded, self.ended.fact).status) if self.ended else "RUNNING"

    @property
    def finished(self) -> bool:
        """Whether it ended well."""
        return self.status == RunStatus.FINISHED

    @property
    def seconds(self) -> float | None:
        """How long it took, by its own clock."""
        if self.ended is None:
            return None
        began = cast(RunStarted, self.started.fact).occurred_at
        return (cast(RunEnded, self.ended.fact).occurred_at - began) / _SECOND_US

    def final(self, metric: str) -> Point | None:
        """The value that was logged as final, else the one at the highest step."""
        points = self.points.get(metric, [])
        finals = [point for point in points if point.step is None]
        if finals:
            return finals[-1]
        # Of equal steps the one logged last.
        return max(reversed(points), key=lambda point: point.step or 0, default=None)

    def curve(self, metric: str) -> list[Point]:
        """The values with a step, by step; of two for one step the later counts."""
        by_step = {point.step: point for point in self.points.get(metric, [])}
        return [by_step[step] for step in sorted(step for step in by_step if step is not None)]


def fold_experiment(experiment_id: ExperimentId, facts: Iterable[Cited]) -> list[Run]:
    """The runs of an experiment, in the order in which they began.

    Args:
        experiment_id: which experiment.
        facts: of the topic `experiments`, each run's in the order of the log; others are passed
            over, and so is a fact that comes again.
    """
    runs: dict[RunId, Run] = {}
    seen: set[EventId] = set()
    for cited in facts:
        fact = cited.fact
        if fact.event_id in seen:
            continue
        seen.add(fact.event_id)
        if isinstance(fact, RunStarted):
            if fact.experiment_id == experiment_id and fact.run_id not in runs:
                settings = flattened(_object(fact.config_json))
                runs[fact.run_id] = Run(cited, settings, configured=[cited])
        elif (run := runs.get(getattr(fact, "run_id", RunId("")))) is not None:
            _absorb(run, cited)
    return list(runs.values())


def _absorb(run: Run, cited: Cited) -> None:
    match cited.fact:
        case MetricsLogged(step=step, names=names, values=values):
            for name, value in zip(names, values, strict=True):
                run.points.setdefault(name, []).append(Point(step, value, cited))
        case ParamsLogged(params_json=params):
            run.settings |= flattened(_object(params))
            run.configured.append(cited)
        case ArtifactLogged(name=name):
            run.artifacts[name] = cited
        case RunTagSet(name=name, value=value):
            run.tags.pop(name, None)
            if value is not None:
                run.tags[name] = cited
        case RunEnded():
            run.ended = run.ended or cited
        case _:
            pass


def _object(text: str) -> Mapping[str, Any]:
    found = json.loads(text)
    return found if isinstance(found, dict) else {}
