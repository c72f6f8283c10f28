"""Lists alerts that were beside alerts that would have been."""

from collections.abc import Iterable
from dataclasses import dataclass

from modeltrail.infra.cli.alert_lines import time_of
from modeltrail.schemas.events import AlertRaised, AlertResolved, AlertState
from modeltrail.schemas.ids import EventId, Micros, ModelId

COLUMNS = ("outcome", "model_id", "rule", "subject", "opened", "raised", "resolved")
FIRED = "fired"
WOULD_FIRE = "would fire"
BOTH = "both"

Row = tuple[str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert that was raised; `resolved_at` is None while it is open at the end."""

    raised_at: Micros
    model_id: ModelId
    rule: str
    subject: str
    opened_at: Micros
    alert_id: EventId
    resolved_at: Micros | None


def episodes(steps: Iterable[AlertState], since: Micros, until: Micros) -> set[Episode]:
    """The alerts raised from `since` to `until`, as they stand at `until`."""
    raised: dict[EventId, AlertRaised] = {}
    resolved: dict[EventId, Micros] = {}
    for step in steps:
        if isinstance(step, AlertRaised) and since <= step.occurred_at <= until:
            raised[step.alert_id] = step
        elif isinstance(step, AlertResolved) and step.occurred_at <= until:
            resolved[step.alert_id] = step.occurred_at
    return {
        Episode(
            step.occurred_at,
            step.model_id,
            step.rule,
            step.subject,
            step.opened_at,
            alert_id,
            resolved.get(alert_id),
        )
        for alert_id, step in raised.items()
    }


def rows(were: set[Episode], would_be: set[Episode]) -> list[Row]:
    """A row an alert, by the time it was raised; one that went otherwise has a row for each."""
    outcomes = {
        **dict.fromkeys(were, FIRED),
        **dict.fromkeys(would_be, WOULD_FIRE),
        **dict.fromkeys(were & would_be, BOTH),
    }
    return [_row(each, outcomes[each]) for each in sorted(outcomes, key=_order)]


def _order(episode: Episode) -> tuple[Micros, ModelId, str, str, EventId, Micros]:
    resolved_at = Micros(0) if episode.resolved_at is None else episode.resolved_at
    return (
        episode.raised_at,
        episode.model_id,
        episode.rule,
        episode.subject,
        episode.alert_id,
        resolved_at,
    )


def _row(episode: Episode, outcome: str) -> Row:
    return (
        outcome,
        episode.model_id,
        episode.rule,
        episode.subject,
        time_of(episode.opened_at),
        time_of(episode.raised_at),
        "" if episode.resolved_at is None else time_of(episode.resolved_at),
    )
