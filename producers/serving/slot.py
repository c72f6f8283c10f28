"""Holds what one model serves now, for frame loops to read without a lock."""

from collections.abc import Mapping
from dataclasses import dataclass

from modeltrail.producers.serving.loading import LoadedModel
from modeltrail.schemas.events import RoutedArm, RoutingSet
from modeltrail.schemas.ids import ModelId, Sha256, Version


@dataclass(frozen=True, slots=True)
class RoutedModel:
    """What measurements say of a version that the routing named."""

    model_id: ModelId
    version: Version
    artifact_sha256: Sha256
    declared_metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Serving:
    """A routing, and the loaded model of each of its arms; never changed, only exchanged."""

    routing: RoutingSet
    models: Mapping[Sha256, LoadedModel]

    def model_of(self, arm: RoutedArm) -> tuple[RoutedModel, LoadedModel]:
        """What runs an arm."""
        about = RoutedModel(
            self.routing.model_id, arm.version, arm.artifact_sha256, arm.declared_metrics
        )
        return about, self.models[arm.artifact_sha256]


class Slot:
    """One model of a node; `serving` is exchanged whole, so a frame sees the old or the new.

    `fed` has the shape of each input in the first frame of the session that last got an arm: what
    the next version is likely to get, where its own shapes leave that open.
    """

    __slots__ = ("fed", "model_id", "serving")

    def __init__(self, model_id: ModelId) -> None:
        self.model_id = model_id
        self.serving: Serving | None = None
        self.fed: Mapping[str, tuple[int, ...]] = {}
