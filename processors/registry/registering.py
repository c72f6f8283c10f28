"""Decides registrations: which version an artifact gets, or why it gets none."""

import json
from dataclasses import replace

from modeltrail.processors.registry.state import ModelState
from modeltrail.processors.registry.versions import next_version
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
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

Refusal = tuple[RejectionReason, str]


def decide_registration(
    state: ModelState, request: ModelRegistrationRequested
) -> ModelRegistered | ModelRegistrationRejected:
    """The version that these bytes have, unless it was erased; or else the next one."""
    known = state.holders.get(request.artifact_sha256)
    if known is not None and not state.is_erased(known):
        return replace(state.registered[known].fact, request_id=request.event_id)
    if refusal := _refusal(request) or _parent_refusal(state, request):
        reason, detail = refusal
        return ModelRegistrationRejected(
            event_id=derived_event_id("ModelRegistrationRejected", request.event_id),
            occurred_at=request.occurred_at,
            request_id=request.event_id,
            model_id=ModelId(request.model_id[:LONGEST_ID]),
            reason=reason,
            detail=detail,
        )
    return ModelRegistered(
        event_id=_identity(state, request),
        occurred_at=request.occurred_at,
        request_id=request.event_id,
        model_id=request.model_id,
        version=next_version(state.highest, request.bump),
        artifact_uri=request.artifact_uri,
        artifact_sha256=request.artifact_sha256,
        artifact_size=request.artifact_size,
        metadata_json=request.metadata_json,
        declared_metrics=request.declared_metrics,
        requested_by=request.requested_by,
        tensors=request.tensors,
        opsets=request.opsets,
        run_id=request.run_id,
        dataset=request.dataset,
        dataset_fingerprint=request.dataset_fingerprint,
        git_commit=request.git_commit,
        environment_lock=request.environment_lock,
        parent_model_id=request.parent_model_id,
        parent_version=request.parent_version,
    )


def _identity(state: ModelState, request: ModelRegistrationRequested) -> EventId:
    about = ("ModelRegistered", request.model_id, request.artifact_sha256)
    erased = state.holders.get(request.artifact_sha256)
    # Bytes that come again after their version was erased are another registration.
    return derived_event_id(*about) if erased is None else derived_event_id(*about, erased)


def _refusal(request: ModelRegistrationRequested) -> Refusal | None:
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
    return _metrics_refusal(request.declared_metrics) or _lineage_refusal(request)


def _metrics_refusal(names: tuple[str, ...]) -> Refusal | None:
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


def _lineage_refusal(request: ModelRegistrationRequested) -> Refusal | None:
    if (request.parent_model_id is None) != (request.parent_version is None):
        return RejectionReason.INVALID_METADATA, "a parent is a model and a version: give both"
    try:
        for field in (
            *("run_id", "dataset", "dataset_fingerprint", "git_commit", "environment_lock"),
            *("parent_model_id", "parent_version"),
        ):
            if value := getattr(request, field):
                check_id(field, value)
    except InvalidFact as error:
        return RejectionReason.INVALID_METADATA, str(error)
    return None


def _parent_refusal(state: ModelState, request: ModelRegistrationRequested) -> Refusal | None:
    # Another model's facts may lie in another partition: the client asks the whole log about those.
    version = request.parent_version
    if request.parent_model_id != request.model_id or version in state.registered:
        return None
    return (
        RejectionReason.INVALID_METADATA,
        f"the parent {version} of {request.model_id[:80]!r} is not registered: "
        "register it first, or correct the version",
    )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
