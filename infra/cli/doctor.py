"""`modeltrail doctor`: one line per thing that modeltrail needs, with what to do where it lacks."""

import sys

import click

from modeltrail.infra.config import Settings

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("doctor")
@click.option("--servers-only", is_flag=True, help="Leave out this machine and the embedded stack.")
@click.pass_obj
def doctor(settings: Settings, servers_only: bool) -> None:
    """Check everything that modeltrail needs, and say what to do.

    The exit code is 1 when something fails.
    """
    from modeltrail.infra.cli.checks import MACHINE_CHECKS, SERVER_CHECKS

    failures = 0
    for check in SERVER_CHECKS if servers_only else (*MACHINE_CHECKS, *SERVER_CHECKS):
        for finding in check(settings):
            failures += finding.level == "fail"
            level = click.style(f"{finding.level:<5}", fg=_COLOURS[finding.level])
            click.echo(f"{level}{finding.name:<22}{finding.detail}")
            if finding.next_step:
                click.echo(f"{'':<27}-> {finding.next_step}")
    if failures:
        click.echo(f"{failures} to mend")
        sys.exit(1)
