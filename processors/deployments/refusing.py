"""Says which requests about deployments are refused, why, and what to do instead."""

from modeltrail.processors.deployments.rolling_back import Refusal, target_of
from modeltrail.processors.deployments.state import ModelState, Queued
from modeltrail.schemas.deployment_policy import PolicyInvalid, policy_of
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    DeploymentCancelRequested,
    DeploymentRefusal,
    DeploymentRequestRefused,
    RollbackRequested,
)
from modeltrail.schemas.ids import LONGEST_ID, Micros, ModelId, check_id, derived_event_id

Request = DeploymentCancelRequested | RollbackRequested
_LONGEST_DETAIL = 4000


def refusal_in(state: ModelState, now_us: int) -> DeploymentRequestRefused | None:
    """The first answer that is a refusal; None: every request that waits can be met."""
    waiting: tuple[Request | Queued, ...] = (*state.cancels, *state.rollbacks, *state.queue)
    for each in waiting:
        if refusal := _why_not(state, each):
            request = each.request if isinstance(each, Queued) else each
            reason, detail = refusal
            return DeploymentRequestRefused(
                event_id=derived_event_id("DeploymentRequestRefused", request.event_id),
                occurred_at=Micros(now_us),
                request_id=request.event_id,
                model_id=ModelId(request.model_id[:LONGEST_ID]),
                reason=reason,
                detail=detail[:_LONGEST_DETAIL],
            )
    return None


def _why_not(state: ModelState, waiting: Request | Queued) -> Refusal | None:
    match waiting:
        case DeploymentCancelRequested():
            return _cancel(state, waiting)
        case RollbackRequested():
            target = target_of(state, waiting)
            return target if isinstance(target, tuple) else None
        case Queued():
            return _deployment(state, waiting)


def _cancel(state: ModelState, request: DeploymentCancelRequested) -> Refusal | None:
    about = request.deployment_id
    if state.running is not None and state.running.request.event_id == about:
        return None
    if any(each.request.event_id == about for each in state.queue):
        return None
    if about in state.ended:
        return (
            DeploymentRefusal.ALREADY_ENDED,
            f"deployment {about.hex()} is over: `modeltrail deployments rollback` takes it back",
        )
    return (
        DeploymentRefusal.UNKNOWN_DEPLOYMENT,
        f"{request.model_id[:80]!r} has no deployment {about.hex()}: "
        "`modeltrail deployments list` shows them",
    )


def _deployment(state: ModelState, queued: Queued) -> Refusal | None:
    request = queued.request
    if not state.registered:
        return (
            DeploymentRefusal.UNKNOWN_MODEL,
            f"no version of {request.model_id[:80]!r} is registered: register one first",
        )
    if request.version not in state.registered:
        return (
            DeploymentRefusal.UNKNOWN_VERSION,
            f"{request.model_id[:80]!r} has no version {request.version[:80]!r}: "
            "`modeltrail registry show` lists them",
        )
    if queued.without(state.erased):
        return (
            DeploymentRefusal.ERASED,
            f"{request.model_id[:80]!r} {request.version} was erased: deploy another version",
        )
    try:
        check_id("environment", request.environment)
        policy_of(request.policy_json)
    except (InvalidFact, PolicyInvalid) as error:
        return DeploymentRefusal.INVALID_POLICY, str(error)
    return None
