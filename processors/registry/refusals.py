"""Answers why the registry refuses a change, and what to do instead."""

from collections.abc import Callable, Iterable

from modeltrail.processors.registry.state import ModelState
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import RefusalReason, RegistryRequestRefused
from modeltrail.schemas.ids import LONGEST_ID, ModelId, Version, check_id, derived_event_id
from modeltrail.schemas.registry_dialogue import ChangeRequest
from modeltrail.schemas.registry_names import check_text

Refusal = tuple[RefusalReason, str]
_NAMED = 5


def refused(request: ChangeRequest, refusal: Refusal) -> RegistryRequestRefused:
    """The fact that `request` was refused."""
    reason, detail = refusal
    return RegistryRequestRefused(
        event_id=derived_event_id("RegistryRequestRefused", request.event_id),
        occurred_at=request.occurred_at,
        request_id=request.event_id,
        model_id=ModelId(request.model_id[:LONGEST_ID]),
        reason=reason,
        detail=detail,
    )


def why_not(state: ModelState, request: ChangeRequest) -> Refusal | None:
    """What every change needs: a model and version that are registered, and texts that fit."""
    if not state.registered:
        return (
            RefusalReason.UNKNOWN_MODEL,
            f"no version of {request.model_id[:80]!r} is registered: "
            "register one first, or correct the name",
        )
    if request.version is not None and request.version not in state.registered:
        return (
            RefusalReason.UNKNOWN_VERSION,
            f"{request.model_id[:80]!r} has no version {request.version[:80]!r}: "
            f"its highest is {state.highest}; correct the version",
        )
    return invalid(RefusalReason.INVALID_TEXT, _texts_fit, request)


def invalid(
    reason: RefusalReason, check: Callable[[ChangeRequest], object], request: ChangeRequest
) -> Refusal | None:
    """`reason` with what `check` says, if it refuses the request."""
    try:
        check(request)
    except InvalidFact as error:
        return reason, str(error)
    return None


def listed(names: Iterable[str]) -> str:
    """Some names in words: the first few in order, and how many more there are."""
    ordered = sorted(names)
    shown = ", ".join(repr(name[:80]) for name in ordered[:_NAMED])
    more = len(ordered) - _NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown


def erased(model_id: ModelId, version: Version) -> Refusal:
    """That a version is gone for good."""
    return (
        RefusalReason.ERASED,
        f"{model_id[:80]!r} {version} was erased: name a version that still has its artifact",
    )


def _texts_fit(request: ChangeRequest) -> None:
    check_text("reason", request.reason)
    if request.requested_by:
        check_id("requested_by", request.requested_by)
