"""Says what a trial compares, and which trials are open, from the facts of deployments."""

from dataclasses import dataclass

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRolledBack,
    DeploymentSucceeded,
    StepCompleted,
    StepStarted,
)
from modeltrail.schemas.ids import EventId, ModelId, Version

_ENDS = (DeploymentCancelled, DeploymentFailed, DeploymentRolledBack, DeploymentSucceeded)
#: A step of a deployment.
Step = tuple[EventId, int]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is compared: two versions, or one alone, in an environment since an append time (ms)."""

    deployment_id: EventId
    step_number: int
    model_id: ModelId
    environment: str
    champion: Version | None
    candidate: Version
    metrics: tuple[str, ...]
    frames_per_session: int
    since_ms: int


class OpenTrials:
    """Trials whose step has started and not ended; facts may come twice and of any deployment."""

    def __init__(self) -> None:
        self._open: dict[Step, Trial] = {}
        self._completed: set[Step] = set()
        self._ended: set[EventId] = set()

    def absorb(self, record: Appended) -> None:
        """Take the next fact of a partition of `deployments` in."""
        fact = record.fact
        if isinstance(fact, StepStarted):
            self._start(fact, record.appended_ms)
        elif isinstance(fact, StepCompleted):
            step = (fact.deployment_id, fact.number)
            self._completed.add(step)
            self._open.pop(step, None)
        elif isinstance(fact, _ENDS):
            self._ended.add(fact.deployment_id)
            for step in [step for step in self._open if step[0] == fact.deployment_id]:
                del self._open[step]

    def trials(self) -> dict[Step, Trial]:
        """Those that are open now."""
        return dict(self._open)

    def _start(self, fact: StepStarted, appended_ms: int) -> None:
        step = (fact.deployment_id, fact.number)
        known = step in self._open or step in self._completed or fact.deployment_id in self._ended
        if not fact.trial_metrics or fact.frames_per_session < 1 or known:
            return
        self._open[step] = Trial(
            deployment_id=fact.deployment_id,
            step_number=fact.number,
            model_id=fact.model_id,
            environment=fact.environment,
            champion=fact.baseline_version,
            candidate=fact.version,
            metrics=fact.trial_metrics,
            frames_per_session=fact.frames_per_session,
            since_ms=appended_ms,
        )
