"""Measures how far a series is from its reference in the window that its policy judges."""

from modeltrail.processors.drift.evidence import weigh
from modeltrail.processors.drift.history import BUCKET_US
from modeltrail.processors.drift.reference import Reference
from modeltrail.processors.drift.series import Series, SeriesState
from modeltrail.processors.drift.verdict import verdicts
from modeltrail.schemas.events import DriftMeasured, DriftPolicySet
from modeltrail.schemas.ids import Micros, derived_event_id
from modeltrail.schemas.rule_problems import WINDOWS


def measure(
    series: Series,
    state: SeriesState,
    reference: Reference | None,
    policy: DriftPolicySet | None,
    end: Micros,
) -> DriftMeasured | None:
    """The window that ends at `end` beside the reference.

    None where there is nothing to say: no reference, no policy, no such window of the policy's
    length, or no value in it that was counted over this reference.
    """
    history = state.history
    if policy is None or history is None or history.reference is not reference:
        return None
    length = WINDOWS[policy.window]
    if end % length or history.newest <= end - length:
        return None
    buckets = history.until(end)
    enough = policy.minimum_effective_samples
    found = [
        evidence
        for feature, place in zip(reference.features, reference.slices, strict=True)
        if not policy.features or feature.name in policy.features
        if (evidence := weigh(feature, buckets[:, place], length // BUCKET_US, enough))
    ]
    if not found:
        return None
    return DriftMeasured(
        derived_event_id(DriftMeasured.record, *series, policy.window, end),
        *series,
        window=policy.window,
        start=Micros(end - length),
        end=end,
        profile_id=reference.profile_id,
        features=verdicts(found, policy, state.streaks(reference, policy.window, end)),
    )
