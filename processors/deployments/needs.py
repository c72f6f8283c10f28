"""Answers what must be known of other topics before a model's next decision, and since when."""

from collections.abc import Iterator
from dataclasses import dataclass

from modeltrail.processors.deployments.asking import ASKING
from modeltrail.processors.deployments.state import ModelState
from modeltrail.schemas.events import DeploymentStep
from modeltrail.schemas.ids import EventId
from modeltrail.schemas.topics import ALERTS, ETHICS, NODES, TRIALS, WORK, Topic

#: A node says at least every heartbeat what it serves; what is older says nothing about now.
NODES_BACK_MS = 120_000
#: An alert that nobody could act upon for so long is for people to act upon.
ALERTS_BACK_MS = 86_400_000
_NODE_STEPS = (DeploymentStep.PERFORMANCE, DeploymentStep.STAGING)


@dataclass(frozen=True, slots=True)
class Need:
    """A topic that is needed from an append time on, for a purpose that `about` tells apart."""

    topic: Topic
    about: tuple[EventId, int]
    since_ms: int


def needs_of(state: ModelState, now_ms: int) -> Iterator[Need]:
    """What the model needs; nothing where nothing of it runs or is watched."""
    running = state.running
    if running is not None:
        about = (running.request.event_id, running.number)
        if running.exposed_ms is not None:
            yield Need(ALERTS, (running.request.event_id, -1), running.exposed_ms)
        if running.started is not None:
            step = running.started.step
            if running.started.trial_metrics:
                yield Need(TRIALS, about, running.started_ms)
            if step is DeploymentStep.ETHICS:
                yield Need(ETHICS, about, 0)
            if step in _NODE_STEPS:
                yield Need(NODES, about, now_ms - NODES_BACK_MS)
            if step in ASKING and not running.asked:
                yield Need(WORK, about, running.started_ms)
    for environment in state.environments.values():
        watch = environment.watch
        if watch is not None and now_ms - watch.until_ms < ALERTS_BACK_MS:
            yield Need(ALERTS, (watch.deployment_id, -1), watch.since_ms)


def is_busy(state: ModelState) -> bool:
    """Whether time alone can change anything for the model."""
    return (
        bool(state.queue or state.cancels or state.rollbacks)
        or state.running is not None
        or any(environment.watch is not None for environment in state.environments.values())
    )
