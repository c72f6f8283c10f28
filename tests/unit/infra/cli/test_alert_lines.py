"""What happens to alerts is one clear line each, or one JSON object."""

import json
import math

import click
import pytest

from modeltrail.infra.cli.alert_lines import json_of, line_of
from modeltrail.infra.cli.durations import Duration
from modeltrail.schemas.events import AlertRaised, AlertResolved
from tests.alert_facts import acknowledged, alert_id, silenced, step


def test_a_step_is_a_line_with_time_state_rule_model_summary_and_id() -> None:
    line = line_of(step(AlertRaised))

    assert line == (
        "2023-11-14T22:13:20Z  RAISED    CRITICAL  HIGH_LATENCY  centerface  "
        "v1.0.0/production/champion  latency_ms P95 was 71.25 over 1m  "
        f"[{alert_id('a').hex()}]"
    )


def test_what_people_did_is_a_line_with_who_did_it() -> None:
    assert line_of(acknowledged(by="mina")).endswith(
        f"ACKED     centerface  by mina  [{alert_id('a').hex()}]"
    )
    assert line_of(silenced(0, 3600)).endswith(
        "SILENCED  centerface  everything until 2023-11-14T23:13:20Z by ops"
    )


def test_text_of_others_neither_breaks_the_line_nor_moves_the_cursor() -> None:
    line = line_of(step(AlertRaised, summary="one\ntwo\x1b[2J"))

    assert line.isprintable()


def test_json_is_one_object_a_line_with_every_field() -> None:
    text = json_of(step(AlertResolved, value=math.inf))

    assert "\n" not in text
    value = json.loads(text)
    assert (value["type"], value["value"], value["reason"]) == ("AlertResolved", None, "RECOVERED")
    assert value["opened_at"] == "2023-11-14T22:12:20+00:00"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("30m", 1800.0), ("2h", 7200.0), ("1d12h", 129_600.0), ("0.5h", 1800.0)],
)
def test_a_length_of_time_is_written_with_units(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "2", "2 h", "h", "-1h", "2hours", "1h x"])
def test_other_lengths_of_time_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="1d12h"):
        Duration().convert(text, None, None)
