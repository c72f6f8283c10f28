"""Turns measured drift and change points into alerts.

Drift is over once as much time as raised it has passed without a drifted window. A change point
is over when the mean changes for the better, or an hour after the last change for the worse: the
new level is what is normal then.
"""

from collections.abc import Iterator

from modeltrail.processors.alerting.book import AlertBook
from modeltrail.processors.alerting.lifecycle import (
    Finding,
    Subject,
    faded,
    is_open,
    next_step,
    removed,
)
from modeltrail.processors.alerting.series import CUT_US, Series, series_of
from modeltrail.processors.alerting.summaries import of_change, of_drift, of_settled
from modeltrail.schemas.events import (
    AlertKind,
    AlertState,
    ChangePointDetected,
    DriftMeasured,
    DriftPolicySet,
    FeatureDrift,
)
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.rule_problems import CHANGE_POINT_RULE, DRIFT_RULE, WINDOWS
from modeltrail.schemas.rulebook import RuleBook

CHANGE_SETTLES_US = 3600 * 1_000_000
_CHANGE_WINDOW = "10s"


class DriftAlerts:
    """The alerts of drift of one partition; `alerts` holds their state."""

    def __init__(self, book: RuleBook, alerts: AlertBook) -> None:
        self._book = book
        self._alerts = alerts
        self._drifted: dict[tuple[Series, str], Micros] = {}

    def measured(self, fact: DriftMeasured) -> Iterator[AlertState]:
        """The steps that one window calls for."""
        series = series_of(fact)
        policy = self._book.policy_in_force(fact.model_id, fact.end)
        for feature in fact.features:
            if feature.drifted:
                newest = self._drifted.get((series, feature.name), fact.end)
                self._drifted[series, feature.name] = max(newest, fact.end)
            if policy is not None and _covers(policy, fact.window, feature.name):
                last = self._alerts.last(series, DRIFT_RULE, feature.name)
                if step := self._judge(fact, feature, policy, last):
                    yield step

    def changed(self, fact: ChangePointDetected) -> AlertState | None:
        """The step that a change point calls for."""
        series = series_of(fact)
        policy = self._book.policy_in_force(fact.model_id, fact.end)
        last = self._alerts.last(series, CHANGE_POINT_RULE, fact.metric)
        if policy is None or not _watches(policy, fact.metric):
            return None
        subject = Subject(
            series=series,
            kind=AlertKind.CHANGE_POINT,
            rule=CHANGE_POINT_RULE,
            metric=fact.metric,
            statistic="MEAN",
            window=_CHANGE_WINDOW,
            severity=policy.severity,
            threshold=fact.mean_before,
        )
        finding = Finding(
            value=fact.mean_after,
            samples=0,
            breached=fact.worse,
            recovered=not fact.worse,
            summary=of_change(fact, series),
            renewed=True,
        )
        return next_step(last, subject, finding, fact.end)

    def settle(self, end: Micros) -> Iterator[AlertState]:
        """The steps that passing time calls for: changes settle, policies are taken away."""
        for last in self._alerts.open_before(end):
            if last.kind not in (AlertKind.DRIFT, AlertKind.CHANGE_POINT):
                continue
            if self._uncovered(last, end):
                yield removed(last, end)
            elif (
                last.kind is AlertKind.CHANGE_POINT and end - last.occurred_at >= CHANGE_SETTLES_US
            ):
                yield faded(last, end, of_settled(last.metric, series_of(last)))

    def overtaken(self, raised: AlertState, decided: Micros) -> AlertState | None:
        """The end of an alert whose policy was taken away at a cut decided before it came."""
        if not is_open(raised):
            return None
        for end in range(raised.occurred_at + CUT_US, decided + 1, CUT_US):
            if self._uncovered(raised, Micros(end)):
                return removed(raised, Micros(end))
        return None

    def _judge(
        self,
        fact: DriftMeasured,
        feature: FeatureDrift,
        policy: DriftPolicySet,
        last: AlertState | None,
    ) -> AlertState | None:
        raises = feature.drifted and feature.streak >= policy.persistence
        if not raises and not is_open(last):
            return None
        series = series_of(fact)
        newest = self._drifted.get((series, feature.name), Micros(0))
        if last is not None:
            newest = max(newest, last.occurred_at)
        lasting = policy.persistence * WINDOWS[fact.window]
        over = not feature.drifted and fact.end - newest >= lasting
        # A clean window says nothing by itself: every fact about drift is one about a drifted one.
        if not feature.drifted and not over:
            return None
        subject = Subject(
            series=series,
            kind=AlertKind.DRIFT,
            rule=DRIFT_RULE,
            metric=feature.name,
            statistic="PSI",
            window=fact.window,
            severity=policy.severity,
            threshold=policy.psi_threshold,
        )
        finding = Finding(
            value=feature.psi,
            samples=feature.samples,
            breached=raises,
            recovered=over,
            summary=of_drift(feature, policy, fact.window, series),
            renewed=feature.drifted,
        )
        return next_step(last, subject, finding, fact.end)

    def _uncovered(self, alert: AlertState, end: Micros) -> bool:
        policy = self._book.policy_in_force(alert.model_id, end)
        if policy is None:
            return True
        if alert.kind is AlertKind.DRIFT:
            return not _covers(policy, alert.window, alert.metric)
        return not _watches(policy, alert.metric)


def _covers(policy: DriftPolicySet, window: str, feature: str) -> bool:
    named = not policy.features or feature in policy.features
    return policy.window == window and named


def _watches(policy: DriftPolicySet, metric: str) -> bool:
    return metric in policy.change_point_metrics
