"""`modeltrail alerts`: follow alerts, list the open ones, acknowledge and silence them."""

import sys
from typing import TYPE_CHECKING

import click

from modeltrail.infra.cli.durations import Duration
from modeltrail.infra.cli.form import form_option
from modeltrail.infra.config import Settings

if TYPE_CHECKING:
    from modeltrail.producers.alerts import AlertView, OpenAlert


@click.group("alerts")
def alerts() -> None:
    """Follow alerts, list the open ones, acknowledge or silence them."""


@alerts.command("tail")
@click.option("--from-beginning", is_flag=True, help="Begin with the first fact that is kept.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--model", default="", help="Only alerts of this model.")
@click.pass_obj
def tail(settings: Settings, from_beginning: bool, as_json: bool, model: str) -> None:
    """Print each step of each alert as it happens; Ctrl-C ends."""
    from modeltrail.infra.cli.alert_lines import json_of, line_of
    from modeltrail.producers.alerts import AlertDesk

    write = json_of if as_json else line_of
    try:
        for fact in AlertDesk(settings).follow(from_beginning=from_beginning):
            if fact is not None and model in ("", getattr(fact, "model_id", "")):
                click.echo(write(fact))
                sys.stdout.flush()
    except KeyboardInterrupt:
        return


@alerts.command("list")
@click.option("--model", default="", help="Only alerts of this model.")
@form_option("table", "json", "csv")
@click.pass_obj
def list_open(settings: Settings, model: str, form: str) -> None:
    """List the alerts that are pending or open."""
    from modeltrail.infra.cli.rows import write_rows
    from modeltrail.infra.clock import SystemClock
    from modeltrail.producers.alerts import AlertDesk

    view = AlertDesk(settings).view()
    now_us = SystemClock().now_us()
    rows = [
        _row(view, each, now_us)
        for each in view.open_alerts()
        if model in ("", each.newest.model_id)
    ]
    write_rows(form, _COLUMNS, rows, sys.stdout)


@alerts.command("ack")
@click.argument("alert_id")
@click.option("--by", required=True, help="Who looks after it.")
@click.option("--comment", default="", help="What for.")
@click.pass_obj
def acknowledge(settings: Settings, alert_id: str, by: str, comment: str) -> None:
    """Say that somebody looks after an alert: its id, or a beginning that no other open one has."""
    from modeltrail.producers.alerts import AlertDesk

    fact = AlertDesk(settings).acknowledge(alert_id, by, comment)
    click.echo(f"alert {fact.alert_id.hex()} of {fact.model_id} is acknowledged by {by}")


@alerts.command("silence")
@click.option("--model", required=True, help="Whose alerts.")
@click.option("--rule", default="", help="Only those of this rule.")
@click.option("--subject", default="", help="Only those about exactly this.")
@click.option("--for", "for_s", type=Duration(), required=True, help="How long: 30m, 2h, 1d12h.")
@click.option("--by", required=True, help="Who silences them.")
@click.option("--comment", default="", help="Why.")
@click.pass_obj
def silence(
    settings: Settings, model: str, rule: str, subject: str, for_s: float, by: str, comment: str
) -> None:
    """Have a model's alerts not delivered for a while; they are still raised and recorded."""
    from modeltrail.infra.cli.alert_lines import time_of
    from modeltrail.producers.alerts import AlertDesk
    from modeltrail.schemas.alert_steps import covers

    desk = AlertDesk(settings)
    fact = desk.silence(model, for_s, by, rule=rule, subject=subject, comment=comment)
    covered = sum(covers(fact, each.newest) for each in desk.view().open_alerts())
    click.echo(f"silenced until {time_of(fact.ends_at)}: {covered} open alerts match")


_COLUMNS = (
    "alert_id",
    "state",
    "severity",
    "rule",
    "model_id",
    "subject",
    "since",
    "value",
    "threshold",
    "acknowledged_by",
    "silenced",
    "summary",
)


def _row(view: "AlertView", alert: "OpenAlert", now_us: int) -> tuple[object, ...]:
    from modeltrail.infra.cli.alert_lines import time_of

    newest = alert.newest
    return (
        newest.alert_id.hex(),
        "pending" if alert.pending else "open",
        newest.severity.value,
        newest.rule,
        newest.model_id,
        newest.subject,
        time_of(newest.opened_at),
        newest.value,
        newest.threshold,
        alert.acknowledged_by,
        view.is_silenced(newest, now_us),
        newest.summary,
    )
