"""Answers AssessmentRequested: fetches data and model, has them assessed, keeps the maps."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from modeltrail.infra.clock import Clock
from modeltrail.infra.errors import Unavailable
from modeltrail.processors.ethics.assessment import Assessment, canonical
from modeltrail.processors.ethics.assessor import LIMITS, assess_in_confinement
from modeltrail.processors.ethics.documentation import ModelRecord
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.assessment_settings import (
    AssessmentSettingsInvalid,
    assessment_json,
    assessment_settings,
)
from modeltrail.schemas.errors import ModeltrailError, SchemaRegistryUnavailable
from modeltrail.schemas.events import (
    AssessmentRefusal,
    AssessmentRefused,
    AssessmentRequested,
    EthicsAssessed,
    Fact,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version, derived_event_id

_AWAY = (Unavailable, SchemaRegistryUnavailable)
_LONGEST_DETAIL = 10_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered version: what is written of it, and how its file is fetched."""

    record: ModelRecord
    fetch: Callable[[], Path]


FindVersion = Callable[[ModelId, Version], Registration]
"""Finds a version; raises a ModeltrailError that says why there is none."""
FetchFile = Callable[[Sha256, str], Path]
"""Fetches bytes by SHA-256 and address; raises a ModeltrailError that says why not."""
KeepMap = Callable[[str, bytes], str]
"""Stores a map under a name for good; gives its address."""


class AssessmentJob:
    """A `Job`: assesses versions."""

    def __init__(
        self, find: FindVersion, fetch_data: FetchFile, keep_map: KeepMap, clock: Clock
    ) -> None:
        """Prepare.

        Args:
            find: where registrations and model files come from.
            fetch_data: where evaluation data comes from.
            keep_map: where occlusion maps go.
            clock: when answers are made.
        """
        self._find = find
        self._fetch_data = fetch_data
        self._keep_map = keep_map
        self._clock = clock

    def takes(self, fact: Fact) -> bool:
        """Whether this asks for an assessment."""
        return isinstance(fact, AssessmentRequested)

    def expires_s(self, fact: Fact) -> float | None:  # noqa: ARG002
        """Never: an assessment of stated data is worth the same at any time."""
        return None

    def do(self, request: Appended, stop: threading.Event) -> EthicsAssessed | AssessmentRefused:
        """Assess, or say why not.

        Raises:
            Interrupted: `stop` was set.
            Unavailable: the log or the artifact store does not answer.
            SchemaRegistryUnavailable: the schema registry does not answer.
        """
        fact = request.fact
        assert isinstance(fact, AssessmentRequested)
        try:
            found = self._assessed(fact, stop)
            report_json = self._with_maps(found)
        except Refused as error:
            return AssessmentRefused(
                event_id=derived_event_id(AssessmentRefused.record, fact.event_id),
                occurred_at=Micros(self._clock.now_us()),
                request_id=fact.event_id,
                model_id=fact.model_id,
                version=fact.version,
                reason=error.reason,
                detail=error.detail[:_LONGEST_DETAIL],
            )
        return EthicsAssessed(
            event_id=derived_event_id(EthicsAssessed.record, fact.event_id),
            occurred_at=Micros(self._clock.now_us()),
            request_id=fact.event_id,
            model_id=fact.model_id,
            version=fact.version,
            data_sha256=fact.data_sha256,
            rows=found.rows,
            bias_risk=found.bias_risk,
            privacy_risk=found.privacy_risk,
            transparency_score=found.transparency_score,
            report_json=report_json,
            recommendations=found.recommendations,
            not_judged=found.not_judged,
        )

    def _assessed(self, fact: AssessmentRequested, stop: threading.Event) -> Assessment:
        try:
            settings = assessment_settings(fact.settings_json)
        except AssessmentSettingsInvalid as error:
            raise Refused(AssessmentRefusal.INVALID_SETTINGS, str(error)) from error
        version = _or_refuse(
            AssessmentRefusal.UNKNOWN_VERSION, lambda: self._find(fact.model_id, fact.version)
        )
        data = _or_refuse(
            AssessmentRefusal.DATA_MISSING,
            lambda: self._fetch_data(fact.data_sha256, fact.data_uri),
        )
        model = None
        if settings.model is not None or settings.explain.image:
            model = _or_refuse(AssessmentRefusal.MODEL_FAILED, version.fetch)
        return assess_in_confinement(
            assessment_json(settings), data, model, version.record, stop, limits=LIMITS
        )

    def _with_maps(self, found: Assessment) -> str:
        """The report, which says where each map is."""
        if not found.maps:
            return found.report_json
        report = json.loads(found.report_json)
        for name, png in found.maps.items():
            report["transparency"]["occlusion"][name]["png_uri"] = self._keep_map(name, png)
        return canonical(report)


def _or_refuse(reason: AssessmentRefusal, act: Callable[[], T]) -> T:
    try:
        return act()
    except _AWAY:
        raise
    except ModeltrailError as error:
        raise Refused(reason, str(error)) from error
