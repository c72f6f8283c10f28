"""Runs the deployments of one model: a fold over what the log says, and over time.

What a fact of the log calls for follows at once: the routing, and the alias after a success. What
has to be decided is decided at ticks, one fact at a time. The same log gives the same state, so a
worker that was killed goes on where it was: a decision is in the log, or was never in force.
"""

from dataclasses import replace

from modeltrail.processors.deployments.absorbing import absorb_deployment_fact
from modeltrail.processors.deployments.asking import having_asked, is_to_be_asked, work_of
from modeltrail.processors.deployments.deciding import next_decision
from modeltrail.processors.deployments.inputs import Input, Tick
from modeltrail.processors.deployments.state import ModelState
from modeltrail.processors.deployments.surroundings import absorb_other_fact
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import Fact
from modeltrail.schemas.topics import DEPLOYMENTS

__all__ = ["ModelState", "fold", "standing"]


def fold(state: ModelState, given: Input) -> tuple[ModelState, tuple[Fact, ...]]:
    """Take a fact of the log or a tick; give the new state and the facts that it calls for.

    A decision that it gives is in force once it comes back as a fact of the log.
    """
    if isinstance(given, Tick):
        return _tick(state, given)
    after = _absorbed(state, given)
    known = {fact.event_id for fact in standing(state)}
    return after, tuple(fact for fact in standing(after) if fact.event_id not in known)


def standing(state: ModelState) -> tuple[Fact, ...]:
    """What follows from the log as a whole: the routing of each environment, and the alias."""
    routings = [
        environment.routing
        for _, environment in sorted(state.environments.items())
        if environment.routing is not None
    ]
    if state.alias is None or state.alias.event_id in state.aliased:
        return tuple(routings)
    return (*routings, state.alias)


def _absorbed(state: ModelState, record: Appended) -> ModelState:
    if isinstance(record.fact, DEPLOYMENTS.facts):
        return absorb_deployment_fact(state, record.fact, record.appended_ms)
    return absorb_other_fact(state, record.fact, record.appended_ms)


def _tick(state: ModelState, tick: Tick) -> tuple[ModelState, tuple[Fact, ...]]:
    if state.awaiting is not None:
        return state, ()
    decision = next_decision(state, tick)
    if decision is not None:
        return replace(state, awaiting=decision.event_id), (decision,)
    running = state.running
    started = None if running is None else running.started
    if running is not None and started is not None and is_to_be_asked(running, started, tick):
        work = work_of(state, running, started, tick)
        if work is not None:
            return replace(state, running=having_asked(running, work)), (work,)
    return _watched(state, tick), ()


def _watched(state: ModelState, tick: Tick) -> ModelState:
    """Forget watches that are over: every alert in their time was told by now."""
    for name, environment in state.environments.items():
        watch = environment.watch
        if watch is not None and tick.now_us // 1000 > watch.until_ms:
            state = state.with_environment(name, replace(environment, watch=None))
    return state
