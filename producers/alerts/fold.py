"""Answers which alerts are open, who looks after each, and which are silenced."""

from collections.abc import Set
from dataclasses import dataclass, replace

from modeltrail.schemas.alert_steps import Silences, age_of
from modeltrail.schemas.events import (
    AlertAcknowledged,
    AlertPending,
    AlertResolved,
    AlertSilenced,
    AlertState,
    Fact,
)
from modeltrail.schemas.ids import EventId


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is pending or raised: its newest step, and who acknowledged it."""

    newest: AlertState
    acknowledged_by: str = ""

    @property
    def pending(self) -> bool:
        """Whether it was not raised yet."""
        return isinstance(self.newest, AlertPending)


class AlertView:
    """What the facts absorbed so far say; those of one alert come in the order of the log."""

    def __init__(self) -> None:
        self._open: dict[EventId, OpenAlert] = {}
        self._over: set[EventId] = set()
        self._silences = Silences()

    def absorb(self, fact: Fact) -> None:
        """Take the next fact; one that comes again changes nothing."""
        match fact:
            case AlertAcknowledged() if known := self._open.get(fact.alert_id):
                self._open[fact.alert_id] = replace(known, acknowledged_by=fact.acknowledged_by)
            case AlertSilenced():
                self._silences.add(fact, 0)
            case AlertResolved():
                self._open.pop(fact.alert_id, None)
                self._over.add(fact.alert_id)
            case AlertState() if fact.alert_id not in self._over:
                known = self._open.get(fact.alert_id, OpenAlert(fact))
                if age_of(fact) >= age_of(known.newest):
                    self._open[fact.alert_id] = replace(known, newest=fact)
            case _:
                pass

    def open_alerts(self) -> list[OpenAlert]:
        """The open alerts, the oldest first."""
        return sorted(
            self._open.values(), key=lambda each: (each.newest.opened_at, each.newest.alert_id)
        )

    @property
    def over(self) -> Set[EventId]:
        """The alerts that are resolved."""
        return self._over

    def is_silenced(self, alert: AlertState, at_us: int) -> bool:
        """Whether a silence covers `alert` at a time."""
        return self._silences.cover(alert, at_us)
