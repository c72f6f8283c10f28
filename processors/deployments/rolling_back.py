"""Answers to which version an environment goes back, when people, alerts or gates say so."""

from modeltrail.processors.deployments.state import Environment, Held, ModelState, Running
from modeltrail.schemas.events import (
    AlertRaised,
    DeploymentRefusal,
    DeploymentRolledBack,
    RollbackCause,
    RollbackRequested,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId, Version, derived_event_id

Refusal = tuple[DeploymentRefusal, str]


def exposed_in(state: ModelState, environment: str) -> Running | None:
    """The running deployment, if its candidate has traffic of an environment."""
    running = state.running
    if running is not None and running.request.environment == environment and running.share:
        return running
    return None


def target_of(state: ModelState, request: RollbackRequested) -> Version | Refusal | None:
    """Who gets all traffic, or why nobody; None: there was nobody before the candidate.

    Without a version it is who had it before: the champion while a candidate has a share, or else
    the one before the champion.
    """
    environment = state.environment(request.environment)
    exposed = exposed_in(state, request.environment) is not None
    earlier = environment.held if exposed else environment.held[:-1]
    if request.version is None:
        return _newest(state, request, earlier, exposed)
    wanted = request.version
    if wanted not in state.registered:
        known = "no version" if not state.registered else f"no version {wanted[:80]!r}"
        reason = (
            DeploymentRefusal.UNKNOWN_VERSION
            if state.registered
            else DeploymentRefusal.UNKNOWN_MODEL
        )
        return reason, f"{request.model_id[:80]!r} has {known}: correct the name"
    if wanted in state.erased:
        return _erased(request, wanted)
    if wanted == environment.champion and not exposed:
        return (
            DeploymentRefusal.NOTHING_TO_ROLL_BACK_TO,
            f"{wanted} has all traffic of {request.environment[:80]!r} already",
        )
    if not exposed and not environment.held:
        return (
            DeploymentRefusal.NOTHING_TO_ROLL_BACK_TO,
            f"nobody has the traffic of {request.environment[:80]!r}: deploy {wanted} instead",
        )
    if wanted not in environment.had:
        return (
            DeploymentRefusal.NOTHING_TO_ROLL_BACK_TO,
            f"{wanted} never had all traffic of {request.environment[:80]!r}: deploy it instead",
        )
    return wanted


def before_champion(state: ModelState, environment: Environment) -> Version | None:
    """The newest version below the champion that still has its artifact."""
    return next(
        (
            held.version
            for held in reversed(environment.held[:-1])
            if held.version not in state.erased
        ),
        None,
    )


def below_candidate(state: ModelState, running: Running) -> Version | None:
    """Who gets a candidate's traffic back: the newest before it that still has its artifact."""
    held = state.environment(running.request.environment).held
    kept = [each.version for each in held if not running.without(each.version, state.erased)]
    return kept[-1] if kept else running.baseline


def by_request(
    state: ModelState, request: RollbackRequested, target: Version | None, now_us: int
) -> DeploymentRolledBack:
    """That an environment went back because somebody asked for it."""
    exposed = exposed_in(state, request.environment)
    champion = state.environment(request.environment).held
    taken = Held(exposed.request.version, exposed.request.event_id) if exposed else champion[-1]
    return _rolled_back(
        taken,
        now_us,
        model_id=request.model_id,
        environment=request.environment,
        to_version=target,
        cause=RollbackCause.REQUEST,
        caused_by=request.event_id,
        reason=request.reason or f"{request.requested_by or 'somebody'} asked for it",
    )


def by_alert(
    taken: Held,
    model_id: ModelId,
    alert: AlertRaised,
    target: Version | None,
    now_us: int,
) -> DeploymentRolledBack:
    """That an environment went back because of an alert about the deployed version."""
    return _rolled_back(
        taken,
        now_us,
        model_id=model_id,
        environment=alert.environment,
        to_version=target,
        cause=RollbackCause.ALERT,
        caused_by=alert.event_id,
        reason=f"{alert.severity} alert {alert.rule}: {alert.summary}",
    )


def by_gate(
    running: Running, reason: str, completed: EventId, target: Version | None, now_us: int
) -> DeploymentRolledBack:
    """That a candidate lost its traffic because a share did not pass its gate."""
    request = running.request
    return _rolled_back(
        Held(request.version, request.event_id),
        now_us,
        model_id=request.model_id,
        environment=request.environment,
        to_version=target,
        cause=RollbackCause.GATE,
        caused_by=completed,
        reason=reason,
    )


def _rolled_back(
    taken: Held,
    now_us: int,
    *,
    model_id: ModelId,
    environment: str,
    to_version: Version | None,
    cause: RollbackCause,
    caused_by: EventId,
    reason: str,
) -> DeploymentRolledBack:
    return DeploymentRolledBack(
        event_id=derived_event_id("DeploymentRolledBack", taken.deployment_id, caused_by),
        occurred_at=Micros(now_us),
        deployment_id=taken.deployment_id,
        model_id=model_id,
        version=taken.version,
        environment=environment,
        cause=cause,
        reason=reason,
        to_version=to_version,
        caused_by=caused_by,
    )


def _newest(
    state: ModelState, request: RollbackRequested, earlier: tuple[Held, ...], exposed: bool
) -> Version | Refusal | None:
    kept = [held.version for held in earlier if held.version not in state.erased]
    if kept:
        return kept[-1]
    if earlier:
        return _erased(request, earlier[-1].version)
    if exposed:
        return None
    if not state.registered:
        return (
            DeploymentRefusal.UNKNOWN_MODEL,
            f"no version of {request.model_id[:80]!r} is registered: correct the name",
        )
    return (
        DeploymentRefusal.NOTHING_TO_ROLL_BACK_TO,
        f"no earlier version of {request.model_id[:80]!r} had all traffic of "
        f"{request.environment[:80]!r}: deploy one",
    )


def _erased(request: RollbackRequested, version: Version) -> Refusal:
    return (
        DeploymentRefusal.ERASED,
        f"{request.model_id[:80]!r} {version} was erased: name a version that has its artifact",
    )
