"""Says in one sentence for people what an alert is about."""

from modeltrail.processors.alerting.conditions import Judgement
from modeltrail.processors.alerting.parity import Parity
from modeltrail.processors.alerting.series import Series
from modeltrail.schemas.events import (
    ChangePointDetected,
    Direction,
    DriftPolicySet,
    FeatureDrift,
    Statistic,
    ThresholdRule,
    ValueBreached,
)


def of_window(rule: ThresholdRule, series: Series, judgement: Judgement) -> str:
    """The value of a window beside its limit."""
    if rule.statistic is Statistic.VALUE:
        extreme = "largest" if rule.direction is Direction.ABOVE else "smallest"
        what = f"The {extreme} {rule.metric} in 10s"
    else:
        last = "the last 1000" if rule.window == "last_1000" else rule.window
        what = f"{rule.statistic} of {rule.metric} over {last}"
    groups = _groups(judgement.parity) if judgement.parity else ""
    return f"{what} is {judgement.value:.6g}{groups}, {_side(rule, judgement)}, for {series}."


def of_value(rule: ThresholdRule, series: Series, breach: ValueBreached) -> str:
    """The measurement that broke its limit."""
    side = "above" if rule.direction is Direction.ABOVE else "below"
    return (
        f"{rule.metric} of frame {breach.frame} on {breach.node_id} is {breach.value:.6g}, "
        f"{side} {rule.threshold:.6g}, for {series}."
    )


def of_silence(rule: ThresholdRule, series: Series) -> str:
    """Nothing where something should be."""
    return f"No {_measured(rule)} for {rule.window} from {series}."


def of_returned(rule: ThresholdRule, series: Series) -> str:
    """Something again after nothing."""
    return f"There is a {_measured(rule)} again from {series}."


def of_drift(feature: FeatureDrift, policy: DriftPolicySet, window: str, series: Series) -> str:
    """How far a feature is from its reference, and for how long."""
    distance = f"PSI {feature.psi:.3g} against {policy.psi_threshold:.3g}"
    if not feature.drifted:
        return f"{feature.name} is back at its reference ({distance} over {window}) for {series}."
    windows = "window" if feature.streak == 1 else "windows in a row"
    return (
        f"{feature.name} has drifted from its reference in {feature.streak} {windows} of "
        f"{window} ({distance}) for {series}."
    )


def of_change(change: ChangePointDetected, series: Series) -> str:
    """What a mean was and what it is now."""
    side = "worse" if change.worse else "better"
    return (
        f"The mean of {change.metric} changed for the {side}, from {change.mean_before:.6g} to "
        f"{change.mean_after:.6g}, for {series}."
    )


def of_settled(metric: str, series: Series) -> str:
    """A change that was followed by no other."""
    return f"The mean of {metric} did not get worse again for an hour, for {series}."


def _measured(rule: ThresholdRule) -> str:
    return f"value of {rule.metric}" if rule.metric else "measurement"


def _groups(parity: Parity) -> str:
    least, greatest = parity.least, parity.greatest
    return (
        f" (mean {float(least.mean):.6g} of group {least.group}, "
        f"{float(greatest.mean):.6g} of group {greatest.group})"
    )


def _side(rule: ThresholdRule, judgement: Judgement) -> str:
    above = rule.direction is Direction.ABOVE
    if judgement.breached:
        return f"{'above' if above else 'below'} {rule.threshold:.6g}"
    back = rule.threshold if rule.resolve_threshold is None else rule.resolve_threshold
    if judgement.recovered:
        return f"not {'above' if above else 'below'} {back:.6g} any more"
    if judgement.parity is not None and judgement.parity.may_be_chance:
        return f"{'above' if above else 'below'} {rule.threshold:.6g} by no more than chance"
    return f"between {rule.threshold:.6g} and {back:.6g}, where it resolves"
