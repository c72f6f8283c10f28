"""Takes how a deployment ended: who has the traffic then, and who answers for it."""

from dataclasses import replace

from modeltrail.processors.deployments.state import Environment, Held, ModelState, Watch
from modeltrail.schemas.events import (
    AliasRequested,
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRolledBack,
    DeploymentSucceeded,
)
from modeltrail.schemas.ids import EventId, Version, derived_event_id

Ending = DeploymentSucceeded | DeploymentFailed | DeploymentCancelled | DeploymentRolledBack


def absorb_end(state: ModelState, fact: Ending, appended_ms: int) -> ModelState:
    """The state after the end of a deployment, or after a rollback of one that had succeeded."""
    match fact:
        case DeploymentSucceeded():
            return _succeeded(state, fact, appended_ms)
        case DeploymentFailed():
            return _ended(state, fact.deployment_id) if _runs(state, fact) else state
        case DeploymentCancelled():
            return _cancelled(state, fact)
        case DeploymentRolledBack():
            return _rolled_back(state, fact)


def _succeeded(state: ModelState, fact: DeploymentSucceeded, appended_ms: int) -> ModelState:
    running = state.running
    if running is None or not _runs(state, fact):
        return state
    policy = running.policy
    state = _ended(state, fact.deployment_id)
    held = Held(fact.version, fact.deployment_id, policy.production.alias)
    watch = Watch(
        fact.deployment_id,
        fact.version,
        # An alert about the last share may come after the end in the log.
        since_ms=appended_ms if running.exposed_ms is None else running.exposed_ms,
        until_ms=appended_ms + round(policy.production.watch_s * 1000),
        rollback_on=policy.production.rollback_on,
    )
    state = _given(state, fact.environment, held, watch)
    if running.staged and policy.staging.environment != fact.environment:
        state = _given(state, policy.staging.environment, replace(held, alias=""), None)
    if not held.alias:
        return state
    by = running.request.requested_by
    reason = f"deployment {fact.deployment_id.hex()} succeeded"
    return replace(state, alias=_alias(fact, held.alias, fact.version, by, reason))


def _given(state: ModelState, name: str, held: Held, watch: Watch | None) -> ModelState:
    environment = state.environment(name)
    below = environment.held
    if below and below[-1].version == held.version:
        # The same version again: there is nothing new to go back to.
        below = below[:-1]
    return state.with_environment(
        name,
        replace(
            environment,
            held=(*below, held),
            had=environment.had | {held.version},
            watch=watch,
        ),
    )


def _alias(because: Ending, alias: str, version: Version, by: str, reason: str) -> AliasRequested:
    return AliasRequested(
        event_id=derived_event_id("AliasRequested", because.event_id),
        occurred_at=because.occurred_at,
        model_id=because.model_id,
        alias=alias,
        version=version,
        requested_by=by,
        reason=reason,
    )


def _cancelled(state: ModelState, fact: DeploymentCancelled) -> ModelState:
    cancels = tuple(each for each in state.cancels if each.event_id != fact.request_id)
    state = replace(state, cancels=cancels)
    if _runs(state, fact):
        return _ended(state, fact.deployment_id)
    queue = tuple(each for each in state.queue if each.request.event_id != fact.deployment_id)
    if len(queue) == len(state.queue):
        return state
    return replace(state, queue=queue, ended=state.ended.put(fact.deployment_id, None))


def _rolled_back(state: ModelState, fact: DeploymentRolledBack) -> ModelState:
    if _runs(state, fact):
        state = _ended(state, fact.deployment_id)
    rollbacks = tuple(each for each in state.rollbacks if each.event_id != fact.caused_by)
    environment = state.environment(fact.environment)
    back = _back_to(environment, fact.to_version, fact.deployment_id)
    if back.held != environment.held:
        # Nobody answers any more for a version that has no traffic.
        back = replace(back, watch=None)
        alias = environment.held[-1].alias if environment.held else ""
        if alias and fact.to_version is not None:
            asked = _alias(fact, alias, fact.to_version, "", f"rolled back: {fact.reason}")
            state = replace(state, alias=asked)
    return replace(state.with_environment(fact.environment, back), rollbacks=rollbacks)


def _back_to(
    environment: Environment, version: Version | None, deployment_id: EventId
) -> Environment:
    if version is None:
        return replace(environment, held=())
    at = max(
        (index for index, held in enumerate(environment.held) if held.version == version),
        default=None,
    )
    if at is None:
        held = (*environment.held, Held(version, deployment_id))
        return replace(environment, held=held, had=environment.had | {version})
    return replace(environment, held=environment.held[: at + 1])


def _runs(state: ModelState, fact: Ending) -> bool:
    return state.running is not None and state.running.request.event_id == fact.deployment_id


def _ended(state: ModelState, deployment_id: EventId) -> ModelState:
    return replace(state, running=None, ended=state.ended.put(deployment_id, None))
