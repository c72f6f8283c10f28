"""Holds the last fact of every alert, whether decided here or restored from the log."""

from modeltrail.processors.alerting.lifecycle import is_open
from modeltrail.processors.alerting.series import Series, series_of
from modeltrail.schemas.events import (
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertState,
    AlertUpdated,
)
from modeltrail.schemas.ids import Micros

#: Longer than any replay: until then what comes again must find that its alert is over.
_FORGET_RESOLVED_US = 4 * 3600 * 1_000_000
_ORDER = (AlertPending, AlertRaised, AlertUpdated, AlertResolved)


class AlertBook:
    """The alerts of one partition, by series, rule and metric: of each the newest."""

    def __init__(self) -> None:
        self._last: dict[Series, dict[tuple[str, str], AlertState]] = {}

    def last(self, series: Series, rule: str, metric: str) -> AlertState | None:
        """The last fact of the newest alert about this, open or resolved."""
        alerts = self._last.get(series)
        return alerts.get((rule, metric)) if alerts else None

    def put(self, fact: AlertState) -> None:
        """Take a fact that was decided."""
        self._last.setdefault(series_of(fact), {})[fact.rule, fact.metric] = fact

    def restore(self, fact: AlertState) -> None:
        """Take a fact from the log; one that is older than what is known changes nothing."""
        known = self.last(series_of(fact), fact.rule, fact.metric)
        if known is None or _age(known) < _age(fact):
            self.put(fact)

    def open_before(self, end: Micros) -> list[AlertState]:
        """The last fact of every alert that was pending or raised before `end`."""
        return [
            last
            for alerts in self._last.values()
            for last in alerts.values()
            if is_open(last) and last.occurred_at < end
        ]

    def forget(self, end: Micros) -> None:
        """Let go of alerts that were resolved long before `end`."""
        for series, alerts in list(self._last.items()):
            for key, last in list(alerts.items()):
                if isinstance(last, AlertResolved) and end - last.occurred_at > _FORGET_RESOLVED_US:
                    del alerts[key]
            if not alerts:
                del self._last[series]


def _age(fact: AlertState) -> tuple[Micros, int, Micros]:
    return fact.opened_at, _ORDER.index(type(fact)), fact.occurred_at
