"""Decides registrations: a fold over one model's facts, in the order of its partition.

The answers in the log are the truth: a request that has one is not answered again, whatever the
rules say today. A request without one is answered from the versions known so far, under ids that
depend only on what the answer is about, so that deciding twice gives the same facts.
"""

import json
from dataclasses import dataclass, replace

from modeltrail.processors.registry.versions import next_version
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    Fact,
    ModelRegistered,
    ModelRegistrationRejected,
    ModelRegistrationRequested,
    RejectionReason,
    VersionBump,
)
from modeltrail.schemas.ids import (
    LONGEST_ID,
    MOST_DECLARED_METRICS,
    EventId,
    ModelId,
    check_id,
    check_metric_name,
    derived_event_id,
)


@dataclass(frozen=True, slots=True)
class ModelState:
    """What the registry knows of one model: its registrations in order, and who was answered."""

    registered: tuple[ModelRegistered, ...] = ()
    answered: frozenset[EventId] = frozenset()


def fold(state: ModelState, fact: Fact) -> tuple[ModelState, tuple[Fact, ...]]:
    """Absorb `fact`; give the new state and the facts that it calls for."""
    if isinstance(fact, ModelRegistered | ModelRegistrationRejected):
        return _absorb(state, fact), ()
    if isinstance(fact, ModelRegistrationRequested) and fact.event_id not in state.answered:
        answer = _decide(state, fact)
        return _absorb(state, answer), (answer,)
    return state, ()


def _absorb(state: ModelState, answer: ModelRegistered | ModelRegistrationRejected) -> ModelState:
    answered = state.answered | {answer.request_id}
    known = {registration.event_id for registration in state.registered}
    if isinstance(answer, ModelRegistrationRejected) or answer.event_id in known:
        return replace(state, answered=answered)
    return ModelState((*state.registered, answer), answered)


def _decide(
    state: ModelState, request: ModelRegistrationRequested
) -> ModelRegistered | ModelRegistrationRejected:
    for registration in state.registered:
        if registration.artifact_sha256 == request.artifact_sha256:
            return replace(registration, request_id=request.event_id)
    if refusal := _refusal(request):
        reason, detail = refusal
        return ModelRegistrationRejected(
            event_id=derived_event_id("ModelRegistrationRejected", request.event_id),
            occurred_at=request.occurred_at,
            request_id=request.event_id,
            model_id=ModelId(request.model_id[:LONGEST_ID]),
            reason=reason,
            detail=detail,
        )
    versions = tuple(registration.version for registration in state.registered)
    return ModelRegistered(
        event_id=derived_event_id("ModelRegistered", request.model_id, request.artifact_sha256),
        occurred_at=request.occurred_at,
        request_id=request.event_id,
        model_id=request.model_id,
        version=next_version(versions, request.bump),
        artifact_uri=request.artifact_uri,
        artifact_sha256=request.artifact_sha256,
        artifact_size=request.artifact_size,
        metadata_json=request.metadata_json,
        declared_metrics=request.declared_metrics,
        requested_by=request.requested_by,
    )


def _refusal(request: ModelRegistrationRequested) -> tuple[RejectionReason, str] | None:
    try:
        check_id("model id", request.model_id)
    except InvalidFact as error:
        return RejectionReason.INVALID_MODEL_ID, str(error)
    if request.bump is VersionBump.UNKNOWN:
        return RejectionReason.UNKNOWN_BUMP, "the bump is unknown: use MAJOR, MINOR or PATCH"
    if request.artifact_size <= 0 or not request.artifact_uri:
        return (
            RejectionReason.INVALID_ARTIFACT,
            "the artifact is empty or has no address: store it first, then register it",
        )
    if not _is_json_object(request.metadata_json):
        return (
            RejectionReason.INVALID_METADATA,
            "the metadata are no JSON object: give a mapping with string keys",
        )
    return _metrics_refusal(request.declared_metrics)


def _metrics_refusal(names: tuple[str, ...]) -> tuple[RejectionReason, str] | None:
    reason = RejectionReason.INVALID_DECLARED_METRICS
    if len(names) > MOST_DECLARED_METRICS:
        return reason, f"{len(names)} metrics are declared: {MOST_DECLARED_METRICS} are allowed"
    if len(set(names)) < len(names):
        return reason, "a metric is declared twice: name each once"
    try:
        for name in names:
            check_metric_name(name)
    except InvalidFact as error:
        return reason, str(error)
    return None


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
