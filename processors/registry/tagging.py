"""Decides the tags of models and versions."""

from modeltrail.processors.registry.refusals import invalid, refused, why_not
from modeltrail.processors.registry.state import ModelState
from modeltrail.schemas.events import (
    ModelTagSet,
    RefusalReason,
    RegistryRequestRefused,
    TagRequested,
)
from modeltrail.schemas.ids import check_id, derived_event_id
from modeltrail.schemas.registry_names import check_text


def decide_tag(state: ModelState, request: TagRequested) -> ModelTagSet | RegistryRequestRefused:
    """Set or remove a tag; removing one that is not there changes nothing and is no fault."""

    def check(_: object) -> None:
        check_id("tag", request.name)
        check_text("value of the tag", request.value or "")

    refusal = why_not(state, request) or invalid(RefusalReason.INVALID_TAG, check, request)
    if refusal:
        return refused(request, refusal)
    return ModelTagSet(
        event_id=derived_event_id("TagSet", request.event_id),
        occurred_at=request.occurred_at,
        model_id=request.model_id,
        version=request.version,
        name=request.name,
        value=request.value,
        set_by=request.requested_by,
        reason=request.reason,
        request_id=request.event_id,
    )
