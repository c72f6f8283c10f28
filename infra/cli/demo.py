"""`modeltrail demo`."""

import click


@click.command("demo")
def demo() -> None:
    """Show the whole way from real frames to SQL answers."""
