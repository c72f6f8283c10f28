"""Says why an assessment is refused."""

from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import AssessmentRefusal


class Refused(ModeltrailError):
    """The assessment cannot be made; `reason` and `detail` say why and what to do."""

    def __init__(self, reason: AssessmentRefusal, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"assessment refused, {reason}: {detail}")
