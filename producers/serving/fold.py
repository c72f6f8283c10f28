"""Answers what a node has to load, what it serves meanwhile, and what it may let go."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from modeltrail.schemas.events import LoadOutcome, RoutedArm, RoutingSet, ServedArm
from modeltrail.schemas.ids import ModelId, Sha256
from modeltrail.schemas.routing import CHAMPION, WHOLE

_FIRST_BACKOFF_S = 0.5


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an artifact is not loaded; it is tried again at `retry_at`.

    Attributes:
        outcome: what went wrong.
        detail: the same in words.
        attempts: how often it was tried.
        retry_at: seconds on the node's monotonic clock.
    """

    outcome: LoadOutcome
    detail: str
    attempts: int
    retry_at: float


@dataclass(frozen=True, slots=True)
class Load:
    """An artifact to load, and the routing that asks for it."""

    model_id: ModelId
    revision: int
    arm: RoutedArm


@dataclass(frozen=True, slots=True)
class NodeState:
    """What is wanted and what is there.

    Attributes:
        wanted: newest routing by model.
        served: routing that sessions are given arms by; all its arms are loaded.
        loaded: artifacts that can run.
        failures: artifacts that are wanted and could not be loaded.
    """

    wanted: Mapping[ModelId, RoutingSet] = field(default_factory=dict)
    served: Mapping[ModelId, RoutingSet] = field(default_factory=dict)
    loaded: frozenset[Sha256] = frozenset()
    failures: Mapping[Sha256, Failure] = field(default_factory=dict)


def routed(state: NodeState, routing: RoutingSet) -> NodeState:
    """Take a routing of the node's environment; an older one than is known changes nothing."""
    known = state.wanted.get(routing.model_id)
    if known is not None and known.revision >= routing.revision:
        return state
    wanted = {**state.wanted, routing.model_id: routing}
    asked = {arm.artifact_sha256 for arm in routing.arms}
    failures = {sha: failure for sha, failure in state.failures.items() if sha not in asked}
    return _settled(replace(state, wanted=wanted, failures=failures))


def withdrawn(state: NodeState, model_id: ModelId) -> NodeState:
    """The routing of a model is gone: it is served no more."""
    return _settled(
        replace(
            state,
            wanted={name: each for name, each in state.wanted.items() if name != model_id},
            served={name: each for name, each in state.served.items() if name != model_id},
        )
    )


def loaded(state: NodeState, sha256: Sha256) -> NodeState:
    """An artifact can run now."""
    failures = {sha: failure for sha, failure in state.failures.items() if sha != sha256}
    return _settled(replace(state, loaded=state.loaded | {sha256}, failures=failures))


def failed(
    state: NodeState,
    sha256: Sha256,
    outcome: LoadOutcome,
    detail: str,
    now: float,
    longest_backoff_s: float,
) -> NodeState:
    """An artifact could not be loaded: it is tried again, after pauses that double.

    One that does not come, is damaged or does not open may do so later, as when the memory that it
    needs is another model's for now.
    """
    before = state.failures.get(sha256)
    attempts = 1 if before is None else before.attempts + 1
    pause = min(longest_backoff_s, _FIRST_BACKOFF_S * 2.0 ** min(attempts - 1, 60))
    failure = Failure(outcome, detail, attempts, now + pause)
    return _settled(replace(state, failures={**state.failures, sha256: failure}))


def next_load(state: NodeState, now: float) -> Load | None:
    """What to load first of what is missing: champions, then the largest share."""
    missing = [
        Load(routing.model_id, routing.revision, arm)
        for routing in state.wanted.values()
        for arm in routing.arms
        if arm.artifact_sha256 not in state.loaded and _may_try(state, arm.artifact_sha256, now)
    ]
    missing.sort(key=lambda load: (load.arm.arm != CHAMPION, -load.arm.share))
    return missing[0] if missing else None


def next_retry(state: NodeState) -> float | None:
    """When something that failed is to be tried again; None: nothing is."""
    return min((each.retry_at for each in state.failures.values()), default=None)


def unneeded(state: NodeState) -> frozenset[Sha256]:
    """The loaded artifacts that no arm needs, wanted or served."""
    return state.loaded - _needed(state)


def released(state: NodeState, gone: frozenset[Sha256]) -> NodeState:
    """These artifacts were let go."""
    return replace(state, loaded=state.loaded - gone)


def served_arms(state: NodeState) -> tuple[ServedArm, ...]:
    """Every arm that is served, by model."""
    return tuple(
        ServedArm(model_id, routing.revision, arm.arm, arm.version, arm.artifact_sha256)
        for model_id, routing in sorted(state.served.items())
        for arm in routing.arms
    )


def failing(state: NodeState) -> tuple[str, ...]:
    """Model and version, separated by a space, of what is wanted and could not be loaded."""
    return _wanted_of(state, state.failures)


def transient(state: NodeState) -> tuple[str, ...]:
    """Those of `failing` that may pass by themselves.

    Bytes of another hash are not among them: the store has answered, and what it holds is for
    people to see at once.
    """
    return _wanted_of(state, {sha for sha, failure in state.failures.items() if _may_pass(failure)})


def is_settled(state: NodeState, model_id: ModelId) -> bool:
    """Whether a model is served as it is routed, or cannot be for now."""
    routing = state.wanted.get(model_id)
    return routing is not None and (
        state.served.get(model_id) == routing
        or any(arm.artifact_sha256 in state.failures for arm in routing.arms)
    )


def may_come(state: NodeState, model_id: ModelId) -> bool:
    """Whether a model of which nothing is served may be served yet, as it is routed."""
    routing = state.wanted.get(model_id)
    if routing is None or _has_arms(state.served.get(model_id)):
        return False
    failures = (
        state.failures.get(arm.artifact_sha256)
        for arm in routing.arms
        if arm.artifact_sha256 not in state.loaded
    )
    return any(failure is None or _may_pass(failure) for failure in failures)


def _wanted_of(state: NodeState, artifacts: Container[Sha256]) -> tuple[str, ...]:
    return tuple(
        sorted(
            f"{model_id} {arm.version}"
            for model_id, routing in state.wanted.items()
            for arm in routing.arms
            if arm.artifact_sha256 in artifacts
        )
    )


def _may_pass(failure: Failure) -> bool:
    return failure.outcome is not LoadOutcome.HASH_MISMATCH


def _settled(state: NodeState) -> NodeState:
    served = dict(state.served)
    for model_id, routing in state.wanted.items():
        missing = [arm for arm in routing.arms if arm.artifact_sha256 not in state.loaded]
        if not missing:
            served[model_id] = routing
        elif not _has_arms(served.get(model_id)):
            # Nothing to keep: better the champion for everyone than nothing for anyone.
            alone = _champion_alone(routing, state)
            if alone is not None:
                served[model_id] = alone
    state = replace(state, served=served)
    needed = _needed(state)
    failures = {sha: failure for sha, failure in state.failures.items() if sha in needed}
    return replace(state, failures=failures)


def _champion_alone(routing: RoutingSet, state: NodeState) -> RoutingSet | None:
    # Only once another arm has failed: while it loads, its sessions wait rather than change arms.
    if all(arm.artifact_sha256 not in state.failures for arm in routing.arms):
        return None
    for arm in routing.arms:
        if arm.arm == CHAMPION and arm.artifact_sha256 in state.loaded:
            return replace(routing, arms=(replace(arm, share=WHOLE),))
    return None


def _has_arms(routing: RoutingSet | None) -> bool:
    return routing is not None and bool(routing.arms)


def _may_try(state: NodeState, sha256: Sha256, now: float) -> bool:
    failure = state.failures.get(sha256)
    return failure is None or failure.retry_at <= now


def _needed(state: NodeState) -> frozenset[Sha256]:
    return frozenset(
        arm.artifact_sha256
        for routings in (state.wanted, state.served)
        for routing in routings.values()
        for arm in routing.arms
    )
