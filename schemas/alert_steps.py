"""Answers in which order the steps of an alert come, and whether a silence covers it."""

from modeltrail.schemas.events import (
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertSilenced,
    AlertState,
    AlertUpdated,
)

_ORDER = (AlertPending, AlertRaised, AlertUpdated, AlertResolved)


def age_of(step: AlertState) -> tuple[int, int]:
    """What is larger for a later step of the same alert, and equal for one that comes again."""
    return _ORDER.index(type(step)), step.occurred_at


def covers(silence: AlertSilenced, alert: AlertState) -> bool:
    """Whether `silence` is about `alert`, whatever the time."""
    return (
        silence.model_id == alert.model_id
        and silence.rule in ("", alert.rule)
        and silence.subject in ("", alert.subject)
    )


class Silences:
    """The silences of some models; those that are over are forgotten on the way."""

    def __init__(self) -> None:
        self._held: dict[str, list[AlertSilenced]] = {}

    def add(self, silence: AlertSilenced, at_us: int) -> None:
        """Hold one more, unless it is over at `at_us`; those of its model that are, go."""
        held = [*self._held.get(silence.model_id, ()), silence]
        self._held[silence.model_id] = [each for each in held if each.ends_at > at_us]

    def cover(self, alert: AlertState, at_us: int) -> bool:
        """Whether one of them is about `alert` and holds at `at_us`."""
        return any(
            silence.starts_at <= at_us < silence.ends_at and covers(silence, alert)
            for silence in self._held.get(alert.model_id, ())
        )
