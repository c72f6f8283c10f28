"""Answers which steps of the alerts of one partition a destination is told, and when.

Everything follows from the log: replayed without delivering, it gives the state in which a
destination was left. A step that a silence withholds is owed: when the silence ends, the newest
step of its alert is told, unless the alert is over and was never told at all. A step that the log
holds again, or after a later one of its alert, changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from modeltrail.schemas.alert_steps import Silences, age_of
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    AlertAcknowledged,
    AlertPending,
    AlertResolved,
    AlertSilenced,
    AlertState,
    AlertUpdated,
)
from modeltrail.schemas.ids import EventId

# Longer than whoever decides alerts may look back and append a step again.
_REMEMBER_OVER_US = 4 * 60 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Policy:
    """What a destination wants to be told besides alerts that are raised and resolved."""

    pending: bool = False
    updates: bool = True
    acknowledgements: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an alert to deliver, where the log has it, and who looks after the alert."""

    partition: int
    offset: int
    appended_ms: int
    alert: AlertState
    acknowledged_by: str = ""

    @property
    def over(self) -> bool:
        """Whether the alert ends with it."""
        return isinstance(self.alert, AlertResolved)


@dataclass(frozen=True, slots=True)
class _Alert:
    """`newest` is the last step of an alert, `told` says that the destination knows the alert."""

    newest: Step
    told: bool = False


class DeliveryFold:
    """The alerts and silences of one partition, as one destination was told of them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._silences = Silences()
        self._alerts: dict[EventId, _Alert] = {}
        self._owed: set[EventId] = set()
        self._over: dict[EventId, int] = {}

    def absorb(self, record: Appended) -> tuple[Step, ...]:
        """Take the next record; the steps that the destination is to be told now, in order."""
        at_us = record.appended_ms * 1000
        due = self.due(at_us)
        match record.fact:
            case AlertSilenced() as silence:
                self._silences.add(silence, at_us)
                return due
            case AlertAcknowledged() as acknowledged:
                return due + self._acknowledge(acknowledged, at_us)
            case AlertState() as alert:
                step = Step(record.partition, record.offset, record.appended_ms, alert)
                return due + self._advance(step, at_us)
            case _:
                return due

    def due(self, at_us: int) -> tuple[Step, ...]:
        """What is owed and no longer silenced at `at_us`, in the order of the log."""
        owed = [self._alerts[alert_id] for alert_id in self._owed]
        return _in_order(
            step for alert in owed for step in self._tell(alert.newest, alert.told, at_us)
        )

    def begin(self, at_us: int) -> tuple[Step, ...]:
        """What a new destination is told first: the newest step of every alert that is open."""
        told = [alert.newest for alert in self._alerts.values() if alert.told]
        for step in told:
            if step.over:
                self._forget(step.alert.alert_id)
        return _in_order(
            step for each in told if not each.over for step in self._tell(each, True, at_us)
        )

    def open_at(self, at_us: int) -> tuple[Step, ...]:
        """Alerts to send again lest they be forgotten: told, and not over, seen to or silenced."""
        return _in_order(
            alert.newest
            for alert in self._alerts.values()
            if alert.told
            and not alert.newest.over
            and not alert.newest.acknowledged_by
            and not self._silences.cover(alert.newest.alert, at_us)
        )

    def _advance(self, step: Step, at_us: int) -> tuple[Step, ...]:
        alert_id = step.alert.alert_id
        known = self._alerts.get(alert_id)
        if alert_id in self._over or (
            known is not None and age_of(step.alert) <= age_of(known.newest.alert)
        ):
            return ()
        if step.over:
            self._end(alert_id, at_us)
            if known is None or not known.told:
                self._forget(alert_id)
                return ()
        told = known is not None and known.told
        if known is not None:
            step = replace(step, acknowledged_by=known.newest.acknowledged_by)
        if self._is_wanted(step, told):
            return self._tell(step, told, at_us)
        self._alerts[alert_id] = _Alert(step, told)
        return ()

    def _is_wanted(self, step: Step, told: bool) -> bool:
        if step.alert.alert_id in self._owed:
            return True
        match step.alert:
            case AlertPending():
                return self._policy.pending
            case AlertUpdated():
                return not told or (self._policy.updates and not step.acknowledged_by)
            case _:
                return True

    def _acknowledge(self, fact: AlertAcknowledged, at_us: int) -> tuple[Step, ...]:
        known = self._alerts.get(fact.alert_id)
        if known is None or known.newest.over:
            return ()
        step = replace(known.newest, acknowledged_by=fact.acknowledged_by)
        if known.told and self._policy.acknowledgements:
            return self._tell(step, known.told, at_us)
        self._alerts[fact.alert_id] = replace(known, newest=step)
        return ()

    def _tell(self, step: Step, told: bool, at_us: int) -> tuple[Step, ...]:
        """Tell a step now, or owe it while it is silenced."""
        alert_id = step.alert.alert_id
        if self._silences.cover(step.alert, at_us):
            self._alerts[alert_id] = _Alert(step, told)
            self._owed.add(alert_id)
            return ()
        self._owed.discard(alert_id)
        if step.over:
            self._forget(alert_id)
        else:
            self._alerts[alert_id] = _Alert(step, told=True)
        return (step,)

    def _end(self, alert_id: EventId, at_us: int) -> None:
        while self._over:
            oldest = next(iter(self._over))
            if at_us - self._over[oldest] <= _REMEMBER_OVER_US:
                break
            del self._over[oldest]
        self._over[alert_id] = at_us

    def _forget(self, alert_id: EventId) -> None:
        self._alerts.pop(alert_id, None)
        self._owed.discard(alert_id)


def _in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda step: step.offset))
