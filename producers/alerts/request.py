"""Answers what people may say about alerts, before it becomes a fact."""

from modeltrail.producers.alerts.errors import AmbiguousAlert, NoSuchAlert
from modeltrail.producers.alerts.fold import AlertView, OpenAlert
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import ANY_MODEL, AlertAcknowledged, AlertSilenced
from modeltrail.schemas.ids import Micros, ModelId, check_id, new_event_id

LONGEST_SILENCE_S = 366 * 24 * 60 * 60
LONGEST_COMMENT = 2000
_SHOWN = 5


def find_open(view: AlertView, prefix: str) -> OpenAlert:
    """The one open alert whose id begins so, in hex; dashes and capitals do not matter.

    Raises:
        NoSuchAlert: there is none.
        AmbiguousAlert: there are several.
    """
    digits = prefix.replace("-", "").lower()
    found = [
        alert
        for alert in view.open_alerts()
        if digits and alert.newest.alert_id.hex().startswith(digits)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(alert.newest.alert_id.hex() for alert in found[:_SHOWN])
        raise AmbiguousAlert(f"{len(found)} open alerts begin with {prefix}: give more of {ids}")
    if any(digits and alert_id.hex().startswith(digits) for alert_id in view.over):
        raise NoSuchAlert(f"alert {prefix} is over: there is nothing to acknowledge")
    raise NoSuchAlert(
        f"no open alert has an id that begins with {prefix!r:.80}: "
        "`modeltrail alerts list` shows them"
    )


def acknowledgement(alert: OpenAlert, by: str, comment: str, now_us: int) -> AlertAcknowledged:
    """The fact that somebody looks after `alert`.

    Raises:
        InvalidFact: `by` is no name, or the comment is too long.
    """
    return AlertAcknowledged(
        event_id=new_event_id(),
        occurred_at=Micros(now_us),
        alert_id=alert.newest.alert_id,
        model_id=alert.newest.model_id,
        acknowledged_by=check_id("by", by),
        comment=_comment(comment),
    )


def silence(
    model_id: str, for_s: float, by: str, rule: str, subject: str, comment: str, now_us: int
) -> AlertSilenced:
    """The fact that alerts of a model are not delivered from now on, for `for_s` s.

    Args:
        model_id: whose alerts.
        for_s: how long, s; up to 366 days.
        by: who silences them.
        rule: which rule; empty is any.
        subject: what the alerts are about; empty is anything.
        comment: why.
        now_us: wall time, microseconds since the epoch.

    Raises:
        InvalidFact: one of the values may not become a fact.
    """
    if model_id == ANY_MODEL:
        raise InvalidFact("a silence is for one model: give its id, and silence others one by one")
    if not 0 < for_s <= LONGEST_SILENCE_S:
        raise InvalidFact(f"a silence of {for_s:g} s: give more than 0 and at most 366 days")
    return AlertSilenced(
        event_id=new_event_id(),
        occurred_at=Micros(now_us),
        model_id=ModelId(check_id("model_id", model_id)),
        starts_at=Micros(now_us),
        ends_at=Micros(now_us + round(for_s * 1_000_000)),
        silenced_by=check_id("by", by),
        rule=check_id("rule", rule) if rule else "",
        subject=check_id("subject", subject) if subject else "",
        comment=_comment(comment),
    )


def _comment(text: str) -> str:
    if len(text) > LONGEST_COMMENT:
        raise InvalidFact(f"the comment has {len(text)} characters: {LONGEST_COMMENT} are allowed")
    return text
