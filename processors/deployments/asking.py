"""Asks a worker or a node for what is too heavy for a decision: checks and benchmarks."""

from modeltrail.processors.deployments.inputs import Tick
from modeltrail.processors.deployments.state import ModelState, Running
from modeltrail.schemas.deployment_policy import settings_json
from modeltrail.schemas.events import (
    BenchmarkRequested,
    DeploymentStep,
    StepStarted,
    ValidationRequested,
)
from modeltrail.schemas.ids import EventId, derived_event_id

#: Steps that somebody else answers.
ASKING = (DeploymentStep.VALIDATION, DeploymentStep.PERFORMANCE)


def work_id(started: StepStarted) -> EventId:
    """Identity of what a step asks for: one request a step."""
    return derived_event_id("WorkRequested", started.deployment_id, started.number)


def work_of(
    state: ModelState, running: Running, started: StepStarted, tick: Tick
) -> ValidationRequested | BenchmarkRequested | None:
    """What the open step asks for; None: it asks nobody, or its version is not to be found."""
    registered = state.registered.get(started.version)
    if started.step is DeploymentStep.VALIDATION and registered is not None:
        return ValidationRequested(
            event_id=work_id(started),
            occurred_at=started.occurred_at,
            deployment_id=started.deployment_id,
            model_id=started.model_id,
            version=started.version,
            artifact_sha256=registered.artifact_sha256,
            settings_json=settings_json(running.policy.validation),
        )
    if started.step is DeploymentStep.PERFORMANCE:
        staging = running.policy.staging.environment
        node = next((each.node_id for each in tick.live if each.environment == staging), None)
        return BenchmarkRequested(
            event_id=work_id(started),
            occurred_at=started.occurred_at,
            deployment_id=started.deployment_id,
            model_id=started.model_id,
            version=started.version,
            settings_json=settings_json(running.policy.performance),
            baseline_version=started.baseline_version,
            node_id=node,
        )
    return None
