"""Answers what may be asked of the registry, before a model file is touched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from modeltrail.infra.clock import Clock
from modeltrail.producers.registry.artifacts import Artifact
from modeltrail.producers.registry.lineage import Lineage, lineage_fields
from modeltrail.producers.registry.onnx_file import Signature
from modeltrail.producers.values import to_json
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import InferenceMeasured, ModelRegistrationRequested, VersionBump
from modeltrail.schemas.ids import (
    MOST_DECLARED_METRICS,
    Micros,
    ModelId,
    check_id,
    check_metric_name,
    new_event_id,
)

_BUMPS = {bump.lower(): bump for bump in VersionBump if bump is not VersionBump.UNKNOWN}
_STANDARD = frozenset(field.name for field in fields(InferenceMeasured))


def registration_request(
    model_id: str,
    metadata: Mapping[str, Any] | None,
    declared_metrics: Sequence[str],
    bump: str,
    requested_by: str,
    lineage: Lineage | None,
    clock: Clock,
) -> Callable[[Artifact, Signature], ModelRegistrationRequested]:
    """Check everything about a request but its artifact, which the result takes.

    Raises:
        InvalidFact: one of the values may not become a fact.
    """
    checked_id = ModelId(check_id("model_id", model_id))
    metadata_json = to_json("metadata", metadata)
    metrics = declared(declared_metrics)
    if not isinstance(bump, str) or bump.lower() not in _BUMPS:
        raise InvalidFact(f"bump is {bump!r:.80}: give one of {', '.join(_BUMPS)}")
    asker = check_id("requested_by", requested_by) if requested_by else ""
    origin = lineage_fields(lineage)

    def of(artifact: Artifact, signature: Signature) -> ModelRegistrationRequested:
        return ModelRegistrationRequested(
            event_id=new_event_id(),
            occurred_at=Micros(clock.now_us()),
            model_id=checked_id,
            artifact_uri=artifact.uri,
            artifact_sha256=artifact.sha256,
            artifact_size=artifact.size,
            metadata_json=metadata_json,
            declared_metrics=metrics,
            bump=_BUMPS[bump.lower()],
            requested_by=asker,
            tensors=signature.tensors,
            opsets=signature.opsets,
            **origin,
        )

    return of


def declared(names: Sequence[str]) -> tuple[str, ...]:
    """The names of a model's extra metrics, checked.

    Raises:
        InvalidFact: too many, twice the same, no name, or the name of a standard measure.
    """
    if isinstance(names, str):
        raise InvalidFact(f"declared_metrics is the string {names!r:.80}: give a list of names")
    checked = tuple(check_metric_name(name) for name in names)
    if len(checked) > MOST_DECLARED_METRICS:
        raise InvalidFact(
            f"{len(checked)} declared metrics: {MOST_DECLARED_METRICS} are allowed; declare fewer"
        )
    if len(set(checked)) < len(checked):
        raise InvalidFact("declared_metrics names one twice: leave it out")
    if clash := _STANDARD.intersection(checked):
        raise InvalidFact(f"{sorted(clash)[0]!r} is measured of every model: do not declare it")
    return checked
