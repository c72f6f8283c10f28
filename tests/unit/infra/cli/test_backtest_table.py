"""Alerts that were and alerts that would have been stand side by side, each once."""

from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from modeltrail.infra.cli.backtest_table import BOTH, FIRED, WOULD_FIRE, episodes, rows
from modeltrail.infra.cli.group import cli
from modeltrail.infra.cli.moments import Moment
from modeltrail.infra.clock import ManualClock
from modeltrail.schemas.events import AlertPending, AlertRaised, AlertResolved
from modeltrail.schemas.ids import Micros
from tests.alert_facts import SECOND, START_MS, alert_id, step

START = Micros(START_MS * 1000)
END = Micros(START + 600 * SECOND)


def at(seconds: float) -> Micros:
    return Micros(START + int(seconds * SECOND))


def test_an_alert_is_listed_by_when_it_was_raised() -> None:
    steps = [
        step(AlertRaised, "before", occurred_at=at(-1)),
        step(AlertResolved, "before", occurred_at=at(5)),
        step(AlertPending, "never", occurred_at=at(5)),
        step(AlertRaised, "first", occurred_at=at(0)),
        step(AlertResolved, "first", occurred_at=at(60)),
        step(AlertRaised, "last", occurred_at=END),
        step(AlertResolved, "last", occurred_at=at(601)),
        step(AlertRaised, "after", occurred_at=at(601)),
    ]
    found = {each.alert_id: each.resolved_at for each in episodes(steps, START, END)}
    assert found == {alert_id("first"): at(60), alert_id("last"): None}


def test_outcomes_say_who_raised_an_alert_in_the_order_of_time() -> None:
    def raised(name: str, seconds: float) -> AlertRaised:
        return step(AlertRaised, name, occurred_at=at(seconds))

    were = episodes([raised("same", 30), raised("gone", 20), raised("later", 5)], START, END)
    would_be = episodes([raised("same", 30), raised("new", 10), raised("later", 40)], START, END)

    found = rows(were, would_be)

    assert [row[0] for row in found] == [FIRED, WOULD_FIRE, FIRED, BOTH, WOULD_FIRE]
    assert found[3] == (
        BOTH,
        "centerface",
        "HIGH_LATENCY",
        "v1.0.0/production/champion",
        "2023-11-14T22:12:20Z",
        "2023-11-14T22:13:50Z",
        "",
    )


def test_an_alert_that_comes_twice_is_one() -> None:
    raised = step(AlertRaised, "a", occurred_at=at(1))
    assert len(episodes([raised, replace(raised)], START, END)) == 1


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T02:00:00+02:00", 0),
        ("now", 1_700_000_000_000_000),
    ],
)
def test_a_time_is_read_as_iso_8601_in_utc(text: str, micros: int) -> None:
    assert Moment(ManualClock()).convert(text, None, None) == micros


def test_what_is_no_time_is_refused_with_an_example() -> None:
    with pytest.raises(click.BadParameter, match="2026-07-01T12:00:00Z"):
        Moment().convert("yesterday", None, None)


@pytest.mark.parametrize(
    ("text", "until", "message"),
    [
        ("*: {rules: [{name: A, statistic: P96}]}", "now", "cannot be played"),
        ("'*': {latency_threshold: 50}", "2020-01-01", "--from is not before --to"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is_read(
    tmp_path: Path, text: str, until: str, message: str
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(text)
    result = CliRunner().invoke(
        cli, ["backtest", str(rules), "--from", "2026-01-01", "--to", until]
    )
    assert result.exit_code != 0
    assert message in f"{result.output}{result.exception}"
