"""Gives demos a running stack: the one there is, or one of their own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from modeltrail.infra.cli.group import config_of
from modeltrail.infra.cli.progress import view_of
from modeltrail.infra.config import Settings, environment_name, load_settings, stack_runs
from modeltrail.infra.stack.control import launch, wait_until_ready
from modeltrail.infra.stack.layout import Layout


@contextmanager
def demo_stack(ctx: click.Context, console: Console) -> Iterator[Settings]:
    """The configured or running servers; else the embedded stack, for the time of the demo."""
    layout = Layout.at(ctx.obj.stack.data_dir)
    if ctx.obj.kafka.bootstrap_servers or stack_runs(layout.root):
        console.print("[bold]The stack runs already and stays as it is[/]")
        yield ctx.obj
        return
    console.print("[bold]Starting Kafka, the schema registry, ClickHouse and the workers[/]")
    # Recording the start-up cache would make this stop long; `modeltrail up` is what pays it back.
    environ = {**os.environ, environment_name("stack", "startup_cache"): "false"}
    launched = launch(layout, config_of(ctx), lifeline=True, environ=environ)
    try:
        with view_of(layout) as view:
            wait_until_ready(launched, view.follow)
        yield load_settings(config_of(ctx))
    finally:
        console.print("\n[bold]Stopping what was started[/]")
        with view_of(layout) as view:
            launched.abandon(view.follow)
