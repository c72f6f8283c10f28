"""Says what can go wrong when an assessment is asked for."""

from modeltrail.producers.errors import ModeltrailError, Unavailable
from modeltrail.schemas.assessment_settings import AssessmentSettingsInvalid
from modeltrail.schemas.events import AssessmentRefusal

__all__ = ["AssessmentNotMade", "AssessmentSettingsInvalid", "AssessmentTimeout", "NotAssessed"]


class AssessmentNotMade(ModeltrailError):
    """The assessor refused; `reason` and `detail` say why and what to do."""

    def __init__(self, reason: AssessmentRefusal, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"not assessed, {reason}: {detail}")


class AssessmentTimeout(Unavailable):
    """No answer in time; the request is kept: look with `modeltrail ethics show` later."""


class NotAssessed(ModeltrailError, KeyError):
    """No assessment is in the log: ask for one with `modeltrail ethics assess`."""

    __str__ = Exception.__str__
