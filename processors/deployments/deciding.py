"""Decides what comes next for one model: one fact at a time, from what the log says so far.

A decision is in force once it is in the log. So one decision is published, and the next one waits
until it came back: whatever another worker wrote in between is known by then.
"""

from modeltrail.processors.deployments.concluding import aborted, concluded
from modeltrail.processors.deployments.inputs import Tick
from modeltrail.processors.deployments.refusing import refusal_in
from modeltrail.processors.deployments.rolling_back import (
    before_champion,
    below_candidate,
    by_alert,
    by_gate,
    by_request,
    exposed_in,
    target_of,
)
from modeltrail.processors.deployments.state import Held, ModelState, Running, lets_through
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRequested,
    DeploymentStep,
    DeploymentSucceeded,
    Fact,
    RollbackRequested,
    StepCompleted,
    StepStarted,
)
from modeltrail.schemas.ids import EventId, Micros, derived_event_id

_SECOND_US = 1_000_000


def next_decision(state: ModelState, tick: Tick) -> Fact | None:
    """The next fact of the deployments topic; None: nothing is to be decided now."""
    return (
        refusal_in(state, tick.now_us)
        or _roll_back_as_asked(state, tick)
        or _roll_back_watched(state, tick)
        or _cancel(state, tick)
        or _go_on(state, tick)
    )


def _roll_back_as_asked(state: ModelState, tick: Tick) -> Fact | None:
    if not state.rollbacks:
        return None
    request: RollbackRequested = state.rollbacks[0]
    target = target_of(state, request)
    if isinstance(target, tuple):
        return None
    reason = request.reason or "a rollback was asked for"
    return _interrupted(
        state, request.environment, tick, request.event_id, request.requested_by, reason
    ) or by_request(state, request, target, tick.now_us)


def _roll_back_watched(state: ModelState, tick: Tick) -> Fact | None:
    for name, environment in state.environments.items():
        watch = environment.watch
        if watch is None or watch.alert is None:
            continue
        target = before_champion(state, environment)
        if target is None:
            # Without an earlier version there is nothing better than this one.
            continue
        alert = watch.alert
        reason = f"production went back to {target}: {alert.summary}"
        taken = Held(watch.version, watch.deployment_id)
        return _interrupted(state, name, tick, alert.event_id, "", reason, whatever=True) or (
            by_alert(taken, alert.model_id, alert, target, tick.now_us)
        )
    return None


def _interrupted(
    state: ModelState,
    environment: str,
    tick: Tick,
    because: EventId,
    by: str,
    reason: str,
    *,
    whatever: bool = False,
) -> Fact | None:
    """What ends the deployment that runs in an environment, before that goes back.

    With `whatever` also one whose candidate has traffic; else going back is its end.
    """
    running = state.running
    if running is None or running.request.environment != environment:
        return None
    if running.started is not None:
        return aborted(running, running.started, tick, reason)
    if exposed_in(state, environment) is not None and not whatever:
        return None
    return _cancelled(running.request, because, by, reason, tick)


def _cancel(state: ModelState, tick: Tick) -> Fact | None:
    for cancel in state.cancels:
        reason = cancel.reason or "a cancel was asked for"
        running = state.running
        if running is not None and running.request.event_id == cancel.deployment_id:
            if running.started is not None:
                return aborted(running, running.started, tick, reason)
            request = running.request
        else:
            requests = [each.request for each in state.queue]
            found = [each for each in requests if each.event_id == cancel.deployment_id]
            if not found:
                continue
            request = found[0]
        return _cancelled(request, cancel.event_id, cancel.requested_by, reason, tick)
    return None


def _cancelled(
    request: DeploymentRequested, because: EventId, by: str, reason: str, tick: Tick
) -> DeploymentCancelled:
    return DeploymentCancelled(
        event_id=derived_event_id("DeploymentCancelled", request.event_id),
        occurred_at=Micros(tick.now_us),
        deployment_id=request.event_id,
        model_id=request.model_id,
        version=request.version,
        environment=request.environment,
        request_id=because,
        cancelled_by=by,
        reason=reason,
    )


def _go_on(state: ModelState, tick: Tick) -> Fact | None:
    running = state.running
    if running is None:
        return _begun(state, tick)
    if running.alert is not None:
        alert = running.alert
        if running.started is not None:
            return aborted(running, running.started, tick, f"alert {alert.rule}: {alert.summary}")
        taken = Held(running.request.version, running.request.event_id)
        target = below_candidate(state, running)
        return by_alert(taken, running.request.model_id, alert, target, tick.now_us)
    if running.started is not None:
        return concluded(state, running, running.started, tick)
    assert running.completed is not None
    if not lets_through(running.completed, running.policy):
        return _not_let_through(state, running, running.completed, tick)
    if running.number < len(running.plan):
        return _step(running.request, running, running.number, tick)
    return DeploymentSucceeded(
        event_id=derived_event_id("DeploymentSucceeded", running.request.event_id),
        occurred_at=Micros(tick.now_us),
        deployment_id=running.request.event_id,
        model_id=running.request.model_id,
        version=running.request.version,
        environment=running.request.environment,
        replaced_version=running.baseline,
    )


def _begun(state: ModelState, tick: Tick) -> StepStarted | None:
    if not state.queue:
        return None
    request = state.queue[0].request
    baseline = state.environment(request.environment).champion
    return _step(request, Running(request, baseline), 0, tick)


def _step(request: DeploymentRequested, running: Running, number: int, tick: Tick) -> StepStarted:
    planned = running.plan[number]
    return StepStarted(
        event_id=derived_event_id("StepStarted", request.event_id, number),
        occurred_at=Micros(tick.now_us),
        deployment_id=request.event_id,
        model_id=request.model_id,
        version=request.version,
        environment=request.environment,
        step=planned.step,
        number=number,
        share=planned.share,
        deadline_at=Micros(tick.now_us + round(planned.deadline_s * _SECOND_US)),
        baseline_version=running.baseline,
        trial_metrics=planned.metrics,
        frames_per_session=planned.frames,
    )


def _not_let_through(
    state: ModelState, running: Running, completed: StepCompleted, tick: Tick
) -> Fact:
    if completed.step is DeploymentStep.PRODUCTION:
        target = below_candidate(state, running)
        return by_gate(running, completed.reason, completed.event_id, target, tick.now_us)
    return DeploymentFailed(
        event_id=derived_event_id("DeploymentFailed", running.request.event_id),
        occurred_at=Micros(tick.now_us),
        deployment_id=running.request.event_id,
        model_id=running.request.model_id,
        version=running.request.version,
        environment=running.request.environment,
        step=completed.step,
        reason=completed.reason,
    )
