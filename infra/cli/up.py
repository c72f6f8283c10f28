"""`modeltrail up`: starts the embedded stack, in the foreground or detached."""

import signal
from types import FrameType

import click

from modeltrail.infra.cli.group import config_of
from modeltrail.infra.cli.progress import view_of
from modeltrail.infra.config import Settings, load_settings, stack_runs
from modeltrail.infra.stack.control import (
    Follow,
    Launched,
    launch,
    wait_until_ready,
    wait_until_ready_elsewhere,
    watch,
)
from modeltrail.infra.stack.errors import StackError
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.state import StackState


@click.command("up")
@click.option("--detach", is_flag=True, help="Return when it is ready and let it run.")
@click.option("--servers-only", is_flag=True, help="Leave out the migration and the workers.")
@click.pass_context
def up(ctx: click.Context, detach: bool, servers_only: bool) -> None:
    """Start the embedded stack; Ctrl-C stops it."""
    layout = Layout.at(ctx.obj.stack.data_dir)
    if stack_runs(layout.root):
        _already(ctx, layout)
        return
    click.echo(f"starting the stack in {layout.root}")
    signal.signal(signal.SIGTERM, _interrupt)
    view = view_of(layout)
    launched = launch(layout, config_of(ctx), workers=not servers_only, lifeline=not detach)
    try:
        with view:
            wait_until_ready(launched, view.follow)
        click.echo("ready")
        _show_endpoints(load_settings(config_of(ctx)))
        if detach:
            click.echo("stop it with `modeltrail down`")
            return
        click.echo("Ctrl-C stops it")
        watch(launched, _report_failures())
    except KeyboardInterrupt:
        _stop(launched)


def _already(ctx: click.Context, layout: Layout) -> None:
    with view_of(layout) as view:
        state = wait_until_ready_elsewhere(layout, view.follow)
    dead = [part.name for part in state.parts if part.phase == "failed"]
    if dead:
        raise StackError(
            f"the stack runs already, but {', '.join(dead)} ended: run `modeltrail status`, "
            "then `modeltrail down` and `modeltrail up`"
        )
    click.echo("the stack runs already")
    _show_endpoints(load_settings(config_of(ctx)))


def _show_endpoints(settings: Settings) -> None:
    click.echo(f"  kafka            {settings.kafka.bootstrap_servers}")
    click.echo(f"  schema registry  {settings.schema_registry.url}")
    click.echo(f"  clickhouse       {settings.clickhouse.host}:{settings.clickhouse.port}")


def _stop(launched: Launched) -> None:
    click.echo("\nstopping")
    # A second Ctrl-C must not leave half a stack: the stop has a time limit of its own.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with view_of(launched.layout) as view:
        launched.abandon(view.follow)
    click.echo("stopped")


def _report_failures() -> Follow:
    told: set[str] = set()

    def follow(state: StackState) -> None:
        for part in state.parts:
            if part.phase == "failed" and part.name not in told:
                told.add(part.name)
                click.echo(f"{part.name} ended: `modeltrail status` says what to do", err=True)

    return follow


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
