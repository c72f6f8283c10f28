"""Asks a worker or a node for what is too heavy for a decision: checks and benchmarks."""

from dataclasses import replace

from modeltrail.processors.deployments.fleet import follows
from modeltrail.processors.deployments.inputs import Tick
from modeltrail.processors.deployments.state import ModelState, Running
from modeltrail.schemas.deployment_policy import settings_json
from modeltrail.schemas.events import (
    BenchmarkRequested,
    DeploymentStep,
    StepStarted,
    ValidationRequested,
)
from modeltrail.schemas.ids import EventId, NodeId, derived_event_id

#: Steps that somebody else answers.
ASKING = (DeploymentStep.VALIDATION, DeploymentStep.PERFORMANCE)

#: Nodes that die one after the other at the same benchmark are no accident.
_MOST_ASKED = 3


def work_id(started: StepStarted, asked: int) -> EventId:
    """Identity of what a step asks for, after it asked so often before."""
    return derived_event_id("WorkRequested", started.deployment_id, started.number, asked)


def is_to_be_asked(running: Running, started: StepStarted, tick: Tick) -> bool:
    """Whether nobody was asked yet, or a node that died or keeps silent for half of the time."""
    if not running.asked:
        return True
    node = running.asked_node
    if node is None or running.answer is not None or running.asked >= _MOST_ASKED:
        return False
    return _is_half_over(started, tick) or all(report.node_id != node for report in tick.live)


def having_asked(running: Running, work: ValidationRequested | BenchmarkRequested) -> Running:
    """The deployment once `work` was asked for."""
    node = work.node_id if isinstance(work, BenchmarkRequested) else None
    return replace(running, asked=running.asked + 1, asked_node=node)


def work_of(
    state: ModelState, running: Running, started: StepStarted, tick: Tick
) -> ValidationRequested | BenchmarkRequested | None:
    """What the open step asks for; None: it asks nobody, or its version is not to be found."""
    registered = state.registered.get(started.version)
    if started.step is DeploymentStep.VALIDATION and registered is not None:
        return ValidationRequested(
            event_id=work_id(started, running.asked),
            occurred_at=started.occurred_at,
            deployment_id=started.deployment_id,
            model_id=started.model_id,
            version=started.version,
            artifact_sha256=registered.artifact_sha256,
            settings_json=settings_json(running.policy.validation),
        )
    if started.step is DeploymentStep.PERFORMANCE:
        node = None if _is_half_over(started, tick) else _staging_node(running, started, tick)
        return BenchmarkRequested(
            event_id=work_id(started, running.asked),
            occurred_at=started.occurred_at,
            deployment_id=started.deployment_id,
            model_id=started.model_id,
            version=started.version,
            settings_json=settings_json(running.policy.performance),
            baseline_version=started.baseline_version,
            node_id=node,
        )
    return None


def _staging_node(running: Running, started: StepStarted, tick: Tick) -> NodeId | None:
    staging = running.policy.staging.environment
    return next(
        (
            each.node_id
            for each in tick.live
            if each.environment == staging and follows(each, started.model_id)
        ),
        None,
    )


def _is_half_over(started: StepStarted, tick: Tick) -> bool:
    # A node does not say whether it answers benchmarks at all: the rest is a worker's.
    return 2 * tick.now_us >= started.occurred_at + started.deadline_at
