"""Decides which features of a window have drifted: convincing, large and on enough samples."""

from collections.abc import Mapping, Sequence

from modeltrail.processors.drift.corrections import adjusted_p_values
from modeltrail.processors.drift.evidence import Evidence
from modeltrail.schemas.events import DriftPolicySet, FeatureDrift


def verdicts(
    found: Sequence[Evidence], policy: DriftPolicySet, streaks: Mapping[str, int]
) -> tuple[FeatureDrift, ...]:
    """Judge the features of one window together.

    A feature has drifted if its p-value still convinces among those of all features at the
    policy's false discovery rate, and its PSI is above the policy's by more than chance gives with
    so few effective samples, and those are as many as the policy wants.

    Args:
        found: of each feature.
        policy: what counts as drift.
        streaks: how many windows in a row, up to the one before, each feature had drifted.
    """
    adjusted = adjusted_p_values([evidence.p_value for evidence in found])
    return tuple(
        _verdict(evidence, p_value, policy, streaks.get(evidence.feature.name, 0))
        for evidence, p_value in zip(found, adjusted, strict=True)
    )


def _verdict(
    evidence: Evidence, adjusted: float, policy: DriftPolicySet, streak: int
) -> FeatureDrift:
    drifted = (
        evidence.effective >= policy.minimum_effective_samples
        and adjusted <= policy.false_discovery_rate
        and evidence.excess >= policy.psi_threshold
    )
    return FeatureDrift(
        name=evidence.feature.name,
        kind=evidence.feature.kind.value,
        psi=evidence.psi,
        js=evidence.js,
        statistic=evidence.statistic,
        p_value=evidence.p_value,
        adjusted_p_value=adjusted,
        samples=evidence.samples,
        effective_samples=evidence.effective,
        drifted=drifted,
        streak=streak + 1 if drifted else 0,
    )
