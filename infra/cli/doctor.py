"""`modeltrail doctor`: one line per thing that modeltrail needs, with what to do where it lacks."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from modeltrail.infra.config import Settings

if TYPE_CHECKING:
    from modeltrail.infra.cli.checks import Check

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("doctor")
@click.option("--servers-only", is_flag=True, help="Leave out this machine and the embedded stack.")
@click.pass_obj
def doctor(settings: Settings, servers_only: bool) -> None:
    """Check everything that modeltrail needs, and say what to do.

    The exit code is 1 when something fails.
    """
    from modeltrail.infra.cli.checks import FACT_CHECKS, MACHINE_CHECKS, SERVER_CHECKS

    levels = [] if servers_only else _report(MACHINE_CHECKS, settings)
    of_servers = _report(SERVER_CHECKS, settings)
    levels += of_servers
    if set(of_servers) == {"ok"}:
        levels += _report(FACT_CHECKS, settings)
    failures = levels.count("fail")
    if failures:
        click.echo(f"{failures} to mend")
        sys.exit(1)


def _report(checks: "Iterable[Check]", settings: Settings) -> list[str]:
    """Print what each check finds as it finds it; give the levels."""
    levels: list[str] = []
    for check in checks:
        for finding in check(settings):
            levels.append(finding.level)
            level = click.style(f"{finding.level:<5}", fg=_COLOURS[finding.level])
            click.echo(f"{level}{finding.name:<22}{finding.detail}")
            if finding.next_step:
                click.echo(f"{'':<27}-> {finding.next_step}")
    return levels
