"""Takes what other topics say of a model: its versions, assessments, alerts, sessions and work."""

from dataclasses import replace

from modeltrail.processors.deployments.asking import having_asked, work_id
from modeltrail.processors.deployments.state import ModelState, reaches
from modeltrail.schemas.events import (
    AlertRaised,
    AliasRequested,
    BenchmarkRequested,
    EthicsAssessed,
    Fact,
    ModelErased,
    ModelRegistered,
    ReferenceProfiled,
    SessionsMeasured,
    ValidationRequested,
)
from modeltrail.schemas.ids import Version


def absorb_other_fact(state: ModelState, fact: Fact, appended_ms: int) -> ModelState:
    """The state after a fact of another topic than deployments; the same fact may come again."""
    match fact:
        case ModelRegistered() | ModelErased() | ReferenceProfiled() | AliasRequested():
            return _registry(state, fact, appended_ms)
        case EthicsAssessed():
            return replace(state, assessments=state.assessments.put(fact.version, fact))
        case AlertRaised():
            return _alert(state, fact, appended_ms)
        case SessionsMeasured():
            return _sessions(state, fact)
        case ValidationRequested() | BenchmarkRequested():
            return _work(state, fact)
        case _:
            return state


def _registry(
    state: ModelState,
    fact: ModelRegistered | ModelErased | ReferenceProfiled | AliasRequested,
    appended_ms: int,
) -> ModelState:
    match fact:
        case ModelRegistered():
            if fact.version in state.registered:
                return state
            return replace(state, registered=state.registered.put(fact.version, fact))
        case ModelErased(version=None):
            for version in state.registered:
                state = _erased(state, version, appended_ms)
            return state
        case ModelErased(version=str(version)):
            return _erased(state, Version(version), appended_ms)
        case ReferenceProfiled():
            return replace(state, profiles=state.profiles.put(fact.version, _profile(fact)))
        case AliasRequested():
            return replace(state, aliased=state.aliased.put(fact.event_id, None))
        case _:
            return state


def _erased(state: ModelState, version: Version, appended_ms: int) -> ModelState:
    if version in state.erased:
        return state
    return replace(state, erased=state.erased.put(version, appended_ms))


def _profile(fact: ReferenceProfiled) -> dict[str, object]:
    # What the gate looks at: the profile itself may be large.
    return {
        "dataset": fact.dataset,
        "dataset_sha256": fact.dataset_sha256.hex(),
        "rows": fact.rows,
        "features": sorted(feature.name for feature in fact.features),
        "at_us": fact.occurred_at,
    }


def _alert(state: ModelState, alert: AlertRaised, appended_ms: int) -> ModelState:
    running = state.running
    if (
        running is not None
        and running.alert is None
        and running.exposed_ms is not None
        and appended_ms >= running.exposed_ms
        and alert.version == running.request.version
        and alert.environment == running.request.environment
        and reaches(alert.severity, running.policy.production.rollback_on)
    ):
        state = replace(state, running=replace(running, alert=alert))
    environment = state.environment(alert.environment)
    watch = environment.watch
    if (
        watch is not None
        and watch.alert is None
        and alert.version == watch.version
        and watch.since_ms <= appended_ms <= watch.until_ms
        and reaches(alert.severity, watch.rollback_on)
    ):
        watched = replace(environment, watch=replace(watch, alert=alert))
        state = state.with_environment(alert.environment, watched)
    return state


def _sessions(state: ModelState, fact: SessionsMeasured) -> ModelState:
    running = state.running
    if (
        running is None
        or running.started is None
        or fact.deployment_id != running.request.event_id
        or fact.step_number != running.number
    ):
        return state
    return replace(state, running=replace(running, trial=running.trial.absorb(fact)))


def _work(state: ModelState, fact: ValidationRequested | BenchmarkRequested) -> ModelState:
    running = state.running
    if (
        running is None
        or running.started is None
        or fact.event_id != work_id(running.started, running.asked)
    ):
        return state
    return replace(state, running=having_asked(running, fact))
