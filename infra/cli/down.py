"""`modeltrail down`: stops the embedded stack, and whatever a killed one left behind."""

import click

from modeltrail.infra.cli.progress import view_of
from modeltrail.infra.config import Settings
from modeltrail.infra.stack.control import stop
from modeltrail.infra.stack.layout import Layout


@click.command("down")
@click.pass_obj
def down(settings: Settings) -> None:
    """Stop the embedded stack."""
    layout = Layout.at(settings.stack.data_dir)
    with view_of(layout) as view:
        found = stop(layout, view.follow)
    click.echo("stopped" if found else "nothing to stop: the stack is down")
