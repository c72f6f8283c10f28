"""`modeltrail coverage`: how much of what happens is on record."""

import click
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table

from modeltrail.infra.cli.reading import reading
from modeltrail.infra.config import Settings

_BAR = 24


@click.command("coverage")
@click.pass_obj
def coverage(settings: Settings) -> None:
    """Show the success metrics: how many models, runs, versions and alerts are looked after."""
    with reading(settings.clickhouse) as client:
        rows = client.execute("SELECT name, covered, total, share FROM coverage")
    table = Table("what", "covered", "of", "share", "", box=None, pad_edge=False)
    for name, covered, total, share in rows:
        shown = "-" if share is None else f"{share:.0%}"
        bar = "" if share is None else ProgressBar(total=total, completed=covered, width=_BAR)
        table.add_row(name, f"{covered:,}", f"{total:,}", shown, bar)
    Console().print(table)
