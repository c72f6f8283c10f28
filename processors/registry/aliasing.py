"""Decides where aliases point."""

from modeltrail.processors.registry.refusals import Refusal, erased, invalid, refused, why_not
from modeltrail.processors.registry.state import ModelState
from modeltrail.schemas.events import (
    AliasAssigned,
    AliasRemoved,
    AliasRequested,
    RefusalReason,
    RegistryRequestRefused,
)
from modeltrail.schemas.ids import derived_event_id
from modeltrail.schemas.registry_names import check_alias


def decide_alias(
    state: ModelState, request: AliasRequested
) -> AliasAssigned | AliasRemoved | RegistryRequestRefused:
    """Point an alias at a version that has its artifact, or at nothing."""
    if refusal := _refusal(state, request):
        return refused(request, refusal)
    if request.version is None:
        return AliasRemoved(
            event_id=derived_event_id("AliasRemoved", request.event_id),
            occurred_at=request.occurred_at,
            model_id=request.model_id,
            alias=request.alias,
            removed_by=request.requested_by,
            reason=request.reason,
            request_id=request.event_id,
        )
    return AliasAssigned(
        event_id=derived_event_id("AliasAssigned", request.event_id),
        occurred_at=request.occurred_at,
        model_id=request.model_id,
        alias=request.alias,
        version=request.version,
        assigned_by=request.requested_by,
        reason=request.reason,
        request_id=request.event_id,
    )


def _refusal(state: ModelState, request: AliasRequested) -> Refusal | None:
    refusal = why_not(state, request) or invalid(
        RefusalReason.INVALID_ALIAS, lambda _: check_alias(request.alias), request
    )
    if refusal:
        return refusal
    if request.version is None and request.alias not in state.aliases:
        return (
            RefusalReason.UNKNOWN_ALIAS,
            f"{request.model_id[:80]!r} has no alias {request.alias[:80]!r}: correct the name",
        )
    if request.version is not None and state.is_erased(request.version):
        return erased(request.model_id, request.version)
    return None
