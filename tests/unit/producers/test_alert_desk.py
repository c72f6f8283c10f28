"""People see which alerts are open, acknowledge one by the beginning of its id, silence others."""

from collections.abc import Iterator

import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.config import Settings
from modeltrail.producers.alerts import AlertDesk
from modeltrail.producers.alerts.errors import AmbiguousAlert, NoSuchAlert
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    AlertPending,
    AlertRaised,
    AlertResolved,
    AlertUpdated,
    Fact,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId
from modeltrail.schemas.topics import ALERTS, key_of
from tests.alert_facts import MODEL, alert_id, step


class Scene:
    """A log in memory, and a desk at it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.log = MemoryLog(clock=self.clock)
        self.ids = MemorySchemaIds()
        self.codec = Codec(self.ids)
        self.desk = AlertDesk(Settings(), log=self.log, schema_ids=self.ids, clock=self.clock)

    def append(self, *facts: Fact) -> None:
        for fact in facts:
            model_id: ModelId = fact.model_id  # type: ignore[attr-defined]
            self.log.append(ALERTS, key_of(model_id), self.codec.encode(fact))

    def open_ids(self) -> list[EventId]:
        return [alert.newest.alert_id for alert in self.desk.view().open_alerts()]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def at(seconds: int) -> Micros:
    return Micros(1_700_000_000_000_000 + seconds * 1_000_000)


def test_pending_and_raised_alerts_are_open_until_they_are_resolved(scene: Scene) -> None:
    scene.append(
        step(AlertRaised, "over", opened_at=at(0)),
        step(AlertRaised, "raised", opened_at=at(2)),
        step(AlertPending, "pending", opened_at=at(1)),
        step(AlertResolved, "over", opened_at=at(0), occurred_at=at(3)),
    )

    assert scene.open_ids() == [alert_id("pending"), alert_id("raised")]


def test_a_step_that_comes_again_does_not_open_an_alert_again(scene: Scene) -> None:
    raised, updated = step(AlertRaised, occurred_at=at(0)), step(AlertUpdated, occurred_at=at(60))
    scene.append(raised, updated, raised)
    (alert,) = scene.desk.view().open_alerts()
    assert alert.newest == updated

    scene.append(step(AlertResolved, occurred_at=at(70)), raised, updated)
    assert scene.open_ids() == []


def test_an_alert_is_acknowledged_by_a_beginning_of_its_id(scene: Scene) -> None:
    scene.append(step(AlertRaised), step(AlertRaised, "other"))
    digits = alert_id("a").hex()
    as_sql_shows_it = f"{digits[:8]}-{digits[8:12]}".upper()

    fact = scene.desk.acknowledge(as_sql_shows_it, by="mina", comment="on it")

    assert (fact.alert_id, fact.model_id) == (alert_id("a"), MODEL)
    held = {each.newest.alert_id: each.acknowledged_by for each in scene.desk.view().open_alerts()}
    assert held == {alert_id("a"): "mina", alert_id("other"): ""}


def test_an_id_that_several_open_alerts_begin_with_is_refused_with_all_of_them(
    scene: Scene,
) -> None:
    twins = [EventId(b"\xab\xcd" + bytes([number]) * 14) for number in (1, 2)]
    scene.append(*(step(AlertRaised, alert_id=each) for each in twins))

    with pytest.raises(AmbiguousAlert) as caught:
        scene.desk.acknowledge("abcd", by="mina")

    assert all(each.hex() in str(caught.value) for each in twins)
    assert scene.desk.acknowledge("abcd01", by="mina").alert_id == twins[0]


@pytest.mark.parametrize("prefix", ["", "-", "zz", "00"])
def test_an_id_of_no_open_alert_is_refused(scene: Scene, prefix: str) -> None:
    scene.append(step(AlertRaised))
    with pytest.raises(NoSuchAlert, match="alerts list"):
        scene.desk.acknowledge(prefix, by="mina")


def test_an_alert_that_is_over_cannot_be_acknowledged(scene: Scene) -> None:
    scene.append(step(AlertRaised), step(AlertResolved))
    with pytest.raises(NoSuchAlert, match="is over"):
        scene.desk.acknowledge(alert_id("a").hex(), by="mina")


def test_a_silence_covers_its_model_rule_and_subject_for_its_time(scene: Scene) -> None:
    alert = step(AlertRaised)
    fact = scene.desk.silence(MODEL, 3600.0, "mina", rule="HIGH_LATENCY", comment="maintenance")

    assert fact.ends_at - fact.starts_at == 3600 * 1_000_000
    view = scene.desk.view()
    assert view.is_silenced(alert, fact.starts_at)
    assert not view.is_silenced(alert, fact.ends_at)
    assert not view.is_silenced(step(AlertRaised, rule="OTHER"), fact.starts_at)


@pytest.mark.parametrize(
    ("model", "for_s", "by", "rule"),
    [
        ("", 60.0, "mina", ""),
        ("*", 60.0, "mina", ""),
        ("m", 0.0, "mina", ""),
        ("m", -1.0, "mina", ""),
        ("m", float("nan"), "mina", ""),
        ("m", 400 * 86_400.0, "mina", ""),
        ("m", 60.0, "", ""),
        ("m", 60.0, "mi\nna", ""),
        ("m", 60.0, "mina", "a\x1fb"),
    ],
)
def test_a_silence_that_cannot_be_is_refused_before_anything_is_appended(
    scene: Scene, model: str, for_s: float, by: str, rule: str
) -> None:
    with pytest.raises(InvalidFact):
        scene.desk.silence(model, for_s, by, rule=rule)

    assert scene.log.records(ALERTS) == []


def taking(facts: Iterator[Fact | None], count: int) -> list[Fact]:
    return [fact for fact in (next(facts) for _ in range(count)) if fact is not None]


def test_following_begins_now_or_with_the_first_fact_and_passes_over_what_is_none(
    scene: Scene,
) -> None:
    before, after = step(AlertRaised), step(AlertResolved)
    scene.append(before)
    scene.log.append(ALERTS, key_of(MODEL), b"junk")
    now = scene.desk.follow()
    everything = scene.desk.follow(from_beginning=True)
    assert next(now) is None
    scene.append(after)

    assert taking(now, 1) == [after]
    assert taking(everything, 2) == [before, after]
