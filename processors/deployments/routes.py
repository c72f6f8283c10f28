"""Answers who serves which share of an environment, as RoutingSet: from the log of deployments.

A revision counts the states of a model in an environment, so the same log gives the same facts.
"""

from dataclasses import replace

from modeltrail.processors.deployments.state import Environment, ModelState
from modeltrail.schemas.events import (
    DeploymentRolledBack,
    Fact,
    RollbackCause,
    RoutedArm,
    RoutingSet,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version, derived_event_id
from modeltrail.schemas.routing import CANDIDATE, CHAMPION, WHOLE


def rerouted(
    state: ModelState, model_id: ModelId, because: Fact, deployment_id: EventId, at: Micros
) -> ModelState:
    """The state with the routing that follows from it, wherever that changed.

    Args:
        state: after `because` was absorbed.
        model_id: whose.
        because: the fact of the deployments topic that may have changed it.
        deployment_id: of the deployment that it is about.
        at: when that fact occurred.
    """
    by_request = isinstance(because, DeploymentRolledBack) and (
        because.cause is RollbackCause.REQUEST
    )
    for name in _environments(state):
        environment = state.environment(name)
        arms = _arms(state, name, environment)
        if arms is None or arms == (environment.routing.arms if environment.routing else ()):
            continue
        revision = environment.routing.revision + 1 if environment.routing else 1
        routing = RoutingSet(
            event_id=derived_event_id("RoutingSet", name, model_id, revision),
            occurred_at=at,
            environment=name,
            model_id=model_id,
            revision=revision,
            salt=deployment_id.hex(),
            arms=arms,
            deployment_id=None if by_request else deployment_id,
        )
        state = state.with_environment(name, replace(environment, routing=routing))
    return state


def _environments(state: ModelState) -> set[str]:
    names = set(state.environments)
    if state.running is not None:
        names |= {state.running.request.environment, state.running.policy.staging.environment}
    return names


def _arms(state: ModelState, name: str, environment: Environment) -> tuple[RoutedArm, ...] | None:
    """The arms; None: a version of theirs is not in the registry, so that nobody could load it."""
    running = state.running
    shares: list[tuple[str, Version, int]] = []
    left = WHOLE
    if running is not None and name == running.request.environment and running.share:
        shares.append((CANDIDATE, running.request.version, running.share))
        left -= running.share
    elif running is not None and running.staged and name == running.policy.staging.environment:
        shares.append((CANDIDATE, running.request.version, WHOLE))
        left = 0
    if left and environment.champion is not None:
        shares.append((CHAMPION, environment.champion, left))
    arms = []
    for arm, version, share in shares:
        registered = state.registered.get(version)
        if registered is None:
            return None
        arms.append(
            RoutedArm(
                arm=arm,
                version=version,
                artifact_sha256=registered.artifact_sha256,
                artifact_uri=registered.artifact_uri,
                artifact_size=registered.artifact_size,
                declared_metrics=registered.declared_metrics,
                share=share,
            )
        )
    return tuple(arms)
