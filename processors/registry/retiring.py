"""Decides which models and versions are archived, restored and erased."""

from collections.abc import Iterable

from modeltrail.processors.registry.refusals import Refusal, listed, refused, why_not
from modeltrail.processors.registry.state import ModelState
from modeltrail.schemas.events import (
    ArchiveRequested,
    EraseRequested,
    ModelArchived,
    ModelErased,
    ModelRestored,
    RefusalReason,
    RegistryRequestRefused,
)
from modeltrail.schemas.ids import derived_event_id


def decide_archive(
    state: ModelState, request: ArchiveRequested
) -> ModelArchived | ModelRestored | RegistryRequestRefused:
    """Take a model or version out of use or back; what is so already is stated again."""
    if refusal := why_not(state, request):
        return refused(request, refusal)
    if request.restore:
        return ModelRestored(
            event_id=derived_event_id("ModelRestored", request.event_id),
            occurred_at=request.occurred_at,
            model_id=request.model_id,
            version=request.version,
            restored_by=request.requested_by,
            reason=request.reason,
            request_id=request.event_id,
        )
    return ModelArchived(
        event_id=derived_event_id("ModelArchived", request.event_id),
        occurred_at=request.occurred_at,
        model_id=request.model_id,
        version=request.version,
        archived_by=request.requested_by,
        reason=request.reason,
        request_id=request.event_id,
    )


def decide_erase(
    state: ModelState, request: EraseRequested
) -> ModelErased | RegistryRequestRefused:
    """Let the artifact of a version, or of every version there is, be deleted."""
    refusal = why_not(state, request) or _still_named(state, request)
    if refusal:
        return refused(request, refusal)
    return ModelErased(
        event_id=derived_event_id("ModelErased", request.event_id),
        occurred_at=request.occurred_at,
        model_id=request.model_id,
        erased_by=request.requested_by,
        reason=request.reason,
        version=request.version,
        request_id=request.event_id,
    )


def _still_named(state: ModelState, request: EraseRequested) -> Refusal | None:
    names: Iterable[str] = state.aliases
    if request.version is not None:
        names = state.pointing.get(request.version, ())
    if not names:
        return None
    what = request.version or "versions"
    return (
        RefusalReason.ALIASED,
        f"{request.model_id[:80]!r} {what} cannot be erased while "
        f"aliases point there: remove or move {listed(names)} first",
    )
