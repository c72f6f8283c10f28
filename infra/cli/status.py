"""`modeltrail status`: the parts of the embedded stack, and what to do about those that ended."""

import json
import sys
from dataclasses import asdict

import click

from modeltrail.infra.cli.form import form_option
from modeltrail.infra.config import Settings
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.status import StackStatus, look


@click.command("status")
@form_option("table", "json")
@click.pass_obj
def status(settings: Settings, form: str) -> None:
    """Show the parts of the embedded stack and what is wrong with them.

    The exit code is 0 when all is well, 1 when something is wrong, 3 when the stack is down.
    """
    found = look(Layout.at(settings.stack.data_dir))
    if form == "json":
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        _print(found)
    sys.exit({"up": 0, "starting": 0, "broken": 1, "down": 3}[found.state])


def _print(found: StackStatus) -> None:
    from rich.console import Console
    from rich.table import Table

    if found.parts:
        table = Table(box=None, pad_edge=False)
        for heading in ("part", "state", "pid", "ports", "uptime", "memory"):
            table.add_column(heading, justify="right" if heading in ("pid", "memory") else "left")
        for part in found.parts:
            colour = {"failed": "red", "done": "dim"}.get(part.state, "green")
            table.add_row(
                part.name,
                f"[{colour}]{part.state}[/]",
                str(part.pid or ""),
                " ".join(str(port) for port in part.ports.values()),
                _duration(part.uptime_s),
                f"{part.rss_mb} MiB" if part.rss_mb else "",
            )
        Console().print(table)
    click.echo(f"{found.state}: {found.message}")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
