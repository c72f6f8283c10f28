"""Takes what the log says of one model's deployments; a fact that comes again changes nothing.

The log decides: of two facts that contradict each other the first one holds, whoever wrote them,
so every worker that reads the same log has the same state.
"""

from dataclasses import replace

from modeltrail.processors.deployments.ending import absorb_end
from modeltrail.processors.deployments.routes import rerouted
from modeltrail.processors.deployments.state import ModelState, Queued, Running
from modeltrail.processors.deployments.trial.summary import TrialSummary
from modeltrail.schemas.events import (
    BenchmarkMeasured,
    DeploymentCancelled,
    DeploymentCancelRequested,
    DeploymentFailed,
    DeploymentRequested,
    DeploymentRequestRefused,
    DeploymentRolledBack,
    DeploymentStep,
    DeploymentSucceeded,
    Fact,
    ModelValidated,
    RollbackRequested,
    StepCompleted,
    StepStarted,
)

_ANSWERED_BY = {
    DeploymentStep.VALIDATION: ModelValidated,
    DeploymentStep.PERFORMANCE: BenchmarkMeasured,
}


def absorb_deployment_fact(state: ModelState, fact: Fact, appended_ms: int) -> ModelState:
    """The state after a fact of the deployments topic."""
    if fact.event_id in state.seen:
        return state
    state = replace(
        state,
        seen=state.seen.put(fact.event_id, None),
        awaiting=None if state.awaiting == fact.event_id else state.awaiting,
    )
    match fact:
        case DeploymentRequested():
            return replace(state, queue=(*state.queue, Queued(fact, appended_ms)))
        case DeploymentCancelRequested():
            return replace(state, cancels=(*state.cancels, fact))
        case RollbackRequested():
            return replace(state, rollbacks=(*state.rollbacks, fact))
        case DeploymentRequestRefused():
            return _refused(state, fact)
        case StepStarted():
            return _started(state, fact, appended_ms)
        case StepCompleted():
            return _completed(state, fact)
        case ModelValidated() | BenchmarkMeasured():
            return _answered(state, fact)
        case (
            DeploymentSucceeded()
            | DeploymentFailed()
            | DeploymentCancelled()
            | DeploymentRolledBack()
        ):
            ended = absorb_end(state, fact, appended_ms)
            return rerouted(ended, fact.model_id, fact, fact.deployment_id, fact.occurred_at)
        case _:
            return state


def _refused(state: ModelState, fact: DeploymentRequestRefused) -> ModelState:
    about = fact.request_id
    queue = tuple(each for each in state.queue if each.request.event_id != about)
    if len(queue) < len(state.queue):
        state = replace(state, ended=state.ended.put(about, None))
    return replace(
        state,
        queue=queue,
        cancels=tuple(each for each in state.cancels if each.event_id != about),
        rollbacks=tuple(each for each in state.rollbacks if each.event_id != about),
    )


def _started(state: ModelState, fact: StepStarted, appended_ms: int) -> ModelState:
    running = state.running
    if running is None:
        requests = [each.request for each in state.queue]
        request = next((each for each in requests if each.event_id == fact.deployment_id), None)
        if request is None or fact.number != 0:
            return state
        queue = tuple(each for each in state.queue if each.request is not request)
        baseline = state.environment(request.environment).champion
        running = Running(request, baseline)
        state = replace(state, queue=queue)
    elif (
        fact.deployment_id != running.request.event_id
        or running.started is not None
        or fact.number != running.number
    ):
        return state
    running = replace(
        running,
        started=fact,
        started_ms=appended_ms,
        asked=0,
        asked_node=None,
        answer=None,
        trial=TrialSummary(),
        staged=running.staged or _stages(running, fact),
    )
    if fact.share > 0:
        exposed_ms = appended_ms if running.exposed_ms is None else running.exposed_ms
        running = replace(running, share=fact.share, exposed_ms=exposed_ms)
    state = replace(state, running=running)
    return rerouted(state, fact.model_id, fact, fact.deployment_id, fact.occurred_at)


def _stages(running: Running, fact: StepStarted) -> bool:
    return (
        fact.step is DeploymentStep.STAGING
        and running.policy.staging.environment != running.request.environment
    )


def _completed(state: ModelState, fact: StepCompleted) -> ModelState:
    running = state.running
    if (
        running is None
        or running.started is None
        or fact.deployment_id != running.request.event_id
        or fact.number != running.number
    ):
        return state
    running = replace(running, started=None, completed=fact, number=running.number + 1)
    return replace(state, running=running)


def _answered(state: ModelState, fact: ModelValidated | BenchmarkMeasured) -> ModelState:
    running = state.running
    if (
        running is None
        or running.started is None
        or running.answer is not None
        or fact.deployment_id != running.request.event_id
        or fact.version != running.request.version
        or not isinstance(fact, _ANSWERED_BY.get(running.started.step, ()))
    ):
        return state
    return replace(state, running=replace(running, answer=fact))
