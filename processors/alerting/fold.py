"""Decides alerts: a fold over one partition of windows, the rules, and the alerts that there were.

Windows are judged cut by cut, when all that end together are known; single values and drift are
judged as they come. The state of an alert is its last fact, so that a restart restores it from
the log. Outputs carry ids that depend only on what they are about.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from modeltrail.processors.alerting.book import AlertBook
from modeltrail.processors.alerting.drift_alerts import DriftAlerts
from modeltrail.processors.alerting.lifecycle import removed
from modeltrail.processors.alerting.no_data import judge_silence
from modeltrail.processors.alerting.rule_index import RuleIndex
from modeltrail.processors.alerting.series import Series, series_of
from modeltrail.processors.alerting.sightings import Sightings
from modeltrail.processors.alerting.thresholds import judge_cut
from modeltrail.processors.alerting.value_breaches import BreachQueue, raise_breach
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    AlertKind,
    AlertState,
    ChangePointDetected,
    DriftMeasured,
    DriftPolicySet,
    Fact,
    ThresholdsSet,
    ValueBreached,
    WindowClosed,
    WindowsDecided,
)
from modeltrail.schemas.ids import Micros
from modeltrail.schemas.rulebook import RuleBook


class AlertFold:
    """The alerts of the models of one partition; `partition` says whose windows these are.

    A fold that starts in the middle of the log is first given every Alert* fact of its partition,
    the newest too: what comes again is older than the last fact of its alert and changes nothing.
    It needs the 75 minutes of windows before the first decision that is new: that is how long a
    series that fell silent is known.
    """

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._book = RuleBook()
        self._rules = RuleIndex(self._book)
        self._alerts = AlertBook()
        self._drift = DriftAlerts(self._book, self._alerts)
        self._sightings = Sightings()
        self._breaches = BreachQueue()
        self._windows: dict[Micros, dict[Series, dict[str, WindowClosed]]] = {}
        self._decided: Micros | None = None

    def absorb(self, record: Appended) -> tuple[Fact, ...]:
        """Take one record; give the facts about alerts that it calls for.

        Facts may come twice. Rules come before the first decision after them.
        """
        match record.fact:
            case WindowClosed() as window:
                self._keep(window)
            case WindowsDecided() as decided if decided.partition == self._partition:
                return self._decide(decided.end)
            case ValueBreached() as breach:
                return self._put_breach(breach)
            case DriftMeasured() as drift:
                return self._put_late(self._drift.measured(drift))
            case ChangePointDetected() as change:
                return self._put_late(filter(None, [self._drift.changed(change)]))
            case ThresholdsSet() | DriftPolicySet():
                self._book.set(record)
            case AlertState() as alert:
                self._alerts.restore(alert)
            case _:
                pass
        return ()

    def _keep(self, window: WindowClosed) -> None:
        if not window.final and (self._decided is None or window.end > self._decided):
            of_cut = self._windows.setdefault(window.end, defaultdict(dict))
            of_cut[series_of(window)][window.window] = window

    def _decide(self, decided: Micros) -> tuple[Fact, ...]:
        if self._decided is not None and decided <= self._decided:
            return ()
        ends = {decided, *(end for end in self._windows if end <= decided)}
        return tuple(step for end in sorted(ends) for step in self._decide_cut(end))

    def _decide_cut(self, end: Micros) -> Iterator[AlertState]:
        # Breaches of this cut's own ten seconds were raised by what was decided before it.
        yield from self._raise_due(Micros(end - 1))
        windows = self._windows.pop(end, {})
        self._sightings.add(
            window for of_series in windows.values() for window in of_series.values()
        )
        yield from self._put(self._unruled(end))
        yield from self._put(self._drift.settle(end))
        yield from self._put(judge_cut(windows, end, self._rules, self._alerts))
        yield from self._put(
            judge_silence(windows, end, self._rules, self._alerts, self._sightings)
        )
        self._sightings.forget(end)
        self._alerts.forget(end)
        self._decided = end
        yield from self._raise_due(end)

    def _unruled(self, end: Micros) -> Iterator[AlertState]:
        for last in self._alerts.open_before(end):
            if last.kind not in (AlertKind.THRESHOLD, AlertKind.NO_DATA):
                continue
            if self._rules.of(series_of(last), end).rule_of(last) is None:
                yield removed(last, end)

    def _put_breach(self, breach: ValueBreached) -> tuple[Fact, ...]:
        self._breaches.put(breach)
        return () if self._decided is None else tuple(self._raise_due(self._decided))

    def _raise_due(self, decided: Micros) -> Iterator[AlertState]:
        for breach in self._breaches.take(decided):
            step = raise_breach(breach, self._rules, self._alerts)
            yield from self._put(filter(None, [step]))

    def _put_late(self, steps: Iterable[AlertState]) -> tuple[Fact, ...]:
        # Drift is measured behind the decision of its windows: rules may be others by then.
        return tuple(
            fact
            for step in self._put(steps)
            for fact in (step, *self._put(filter(None, [self._overtaken(step)])))
        )

    def _overtaken(self, step: AlertState) -> AlertState | None:
        return self._drift.overtaken(step, self._decided) if self._decided else None

    def _put(self, steps: Iterable[AlertState]) -> Iterator[AlertState]:
        for step in steps:
            self._alerts.put(step)
            yield step
