"""Lists the commands, loads the one that was asked for, and turns our errors into messages."""

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import click

from modeltrail.infra.config import load_settings
from modeltrail.schemas.errors import ModeltrailError

COMMANDS: Mapping[str, str] = {
    "up": "Start the embedded stack; Ctrl-C stops it.",
    "down": "Stop the embedded stack.",
    "status": "Show the parts of the embedded stack and what is wrong with them.",
    "doctor": "Check everything that modeltrail needs, and say what to do.",
    "sql": "Run a query on ClickHouse as the read-only account; `-` reads it from standard input.",
    "profile": (
        "Make the reference of a version's drift, from a CSV or Parquet file or from measurements."
    ),
    "rules": "Set thresholds and drift policies from a YAML file, or show what is set.",
    "backtest": "Replay measurements under the rules of a YAML file and compare the alerts.",
    "alerts": "Follow alerts, list the open ones, acknowledge or silence them.",
    "registry": "Find versions of models, look at them, name, tag, verify and retire them.",
    "deploy": "Take a version, or what an alias names, through its gates and into an environment.",
    "deployments": (
        "List, show, follow, cancel, roll back or judge deployments again; ids may be cut short."
    ),
    "experiments": "List runs of experiments, show or compare some, plot their metrics.",
    "docs": "Write documents in which every number cites its event.",
    "coverage": (
        "Show the success metrics: how many models, runs, versions and alerts are looked after."
    ),
    "ethics": "Assess how fair, private and transparent a version is, or show the assessment.",
    "truth": "Load ground truth that became known later, to judge measurements by it.",
    "demo": "Show the whole way from real frames to SQL answers.",
    "demo-deploy": (
        "Show deployments: two are promoted, one of them taken back by an alert; two are refused."
    ),
    "migrate": (
        "Create missing topics, publish the schemas, apply migrations and views; safe to repeat."
    ),
    "worker": "Run one worker in the foreground; it prints `ready` once it is at work.",
}


_CONFIG = "modeltrail.config"


class CommandGroup(click.Group):
    """A group whose commands are modules: each holds a command of its own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"modeltrail.infra.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list from the table: help must not load every command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file; the default is modeltrail.yaml of this folder, if there is one.",
)
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """Event-sourced MLOps for fleets of ONNX models."""
    ctx.meta[_CONFIG] = config
    ctx.obj = load_settings(config)


def config_of(ctx: click.Context) -> Path | None:
    """The file given with `--config`; the settings themselves are `ctx.obj`."""
    config: Path | None = ctx.meta[_CONFIG]
    return config


def run() -> None:
    """Run the command line; our own errors become one message and exit code 1."""
    try:
        cli(prog_name="modeltrail")
    except ModeltrailError as error:
        click.echo(f"modeltrail: {error}", err=True)
        sys.exit(1)
