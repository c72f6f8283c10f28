"""Says which facts are decoded one at a time, wherever they come in a fetch."""

from modeltrail.schemas.events import (
    DriftMeasured,
    Fact,
    ModelRegistered,
    ModelRegistrationRequested,
    ReferenceProfiled,
    SessionsMeasured,
    ThresholdsSet,
)

#: They are rare, and polars reads no enum inside an array, and no boolean or null there with care.
DECODED_ALONE: tuple[type[Fact], ...] = (
    DriftMeasured,
    ModelRegistered,
    ModelRegistrationRequested,
    ReferenceProfiled,
    SessionsMeasured,
    ThresholdsSet,
)
