"""Answers which changes may be asked of the registry, before a request becomes a fact."""

from dataclasses import dataclass
from typing import Any

from modeltrail.infra.clock import Clock
from modeltrail.schemas.events import (
    AliasRequested,
    ArchiveRequested,
    EraseRequested,
    TagRequested,
)
from modeltrail.schemas.ids import Micros, ModelId, Version, check_id, new_event_id
from modeltrail.schemas.registry_names import check_alias, check_text


@dataclass(frozen=True, slots=True)
class Asked:
    """What every change has: about which model and version, by whom, why and when.

    Every method raises `InvalidFact` where a value may not become a fact.
    """

    model_id: str
    version: str | None
    by: str
    reason: str
    clock: Clock

    def alias(self, name: str) -> AliasRequested:
        """Point an alias at the version, or at nothing."""
        return AliasRequested(alias=check_alias(name), **self._fields())

    def tag(self, name: str, value: str | None) -> TagRequested:
        """Set a tag, or remove it."""
        if value is not None:
            check_text("value of the tag", value)
        return TagRequested(name=check_id("tag", name), value=value, **self._fields())

    def archive(self, *, restore: bool) -> ArchiveRequested:
        """Take the model or version out of use, or back."""
        return ArchiveRequested(restore=restore, **self._fields())

    def erase(self) -> EraseRequested:
        """Erase the artifact of the version, or of all of them."""
        return EraseRequested(**self._fields())

    def _fields(self) -> dict[str, Any]:
        return {
            "event_id": new_event_id(),
            "occurred_at": Micros(self.clock.now_us()),
            "model_id": ModelId(check_id("model_id", self.model_id)),
            "version": _version(self.version),
            "requested_by": check_id("by", self.by) if self.by else "",
            "reason": check_text("reason", self.reason),
        }


def _version(version: str | None) -> Version | None:
    return None if version is None else Version(check_id("version", version))
