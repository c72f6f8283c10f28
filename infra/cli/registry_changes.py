"""The commands of `modeltrail registry` that change something: names, tags, and what is in use."""

from collections.abc import Callable
from typing import Protocol

import click

from modeltrail.infra.cli.registry_access import opened
from modeltrail.infra.cli.who_and_why import who_and_why
from modeltrail.infra.config import Settings
from modeltrail.producers.registry.client import ModelRegistry


class Change(Protocol):
    """What is done to one version, or to a model as a whole."""

    def __call__(self, model: str, version: str | None, /, *, by: str, reason: str) -> None:
        """Ask for it, and wait."""
        ...


def _named(model: str, version: str | None) -> str:
    return f"{model} {version}" if version else f"all of {model}"


@click.command("alias")
@click.argument("model")
@click.argument("name")
@click.argument("version", required=False)
@click.option("--remove", is_flag=True, help="Let the alias point at nothing.")
@who_and_why
@click.pass_obj
def alias(
    settings: Settings,
    model: str,
    name: str,
    version: str | None,
    remove: bool,
    by: str,
    reason: str,
) -> None:
    """Let an alias such as champion point at a version, or with --remove at nothing."""
    if remove == (version is not None):
        raise click.UsageError("give a version to point at, or --remove")
    with opened(settings) as registry:
        if version is None:
            registry.remove_alias(model, name, by=by, reason=reason)
            click.echo(f"{name} of {model} is removed")
        else:
            registry.set_alias(model, name, version, by=by, reason=reason)
            click.echo(f"{name} of {model} points at {version}")


@click.command("tag")
@click.argument("model")
@click.argument("name")
@click.argument("value", required=False)
@click.option("--version", help="Of this version; default: of the model as a whole.")
@click.option("--remove", is_flag=True, help="Remove the tag.")
@who_and_why
@click.pass_obj
def tag(
    settings: Settings,
    model: str,
    name: str,
    value: str | None,
    version: str | None,
    remove: bool,
    by: str,
    reason: str,
) -> None:
    """Set a tag of a model or of one version, or with --remove remove it."""
    if remove == (value is not None):
        raise click.UsageError("give a value, or --remove")
    with opened(settings) as registry:
        if value is None:
            registry.remove_tag(model, name, version=version, by=by, reason=reason)
        else:
            registry.set_tag(model, name, value, version=version, by=by, reason=reason)
    what = "removed from" if value is None else "set on"
    click.echo(f"tag {name} is {what} {_named(model, version)}")


def _in_use(
    name: str, change_by: Callable[[ModelRegistry], Change], done: str, told: str
) -> click.Command:
    """A command that takes a version or a whole model out of use or back."""

    @click.command(name, help=told)
    @click.argument("model")
    @click.argument("version", required=False)
    @who_and_why
    @click.pass_obj
    def command(settings: Settings, model: str, version: str | None, by: str, reason: str) -> None:
        with opened(settings) as registry:
            change_by(registry)(model, version, by=by, reason=reason)
        click.echo(f"{_named(model, version)} is {done}")

    return command


archive = _in_use(
    "archive",
    lambda registry: registry.archive,
    "archived",
    "Take a version, or a whole model, out of use; nothing is deleted.",
)
restore = _in_use(
    "restore",
    lambda registry: registry.restore,
    "restored",
    "Take what was archived back into use.",
)


@click.command("erase")
@click.argument("model")
@click.argument("version", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@who_and_why
@click.pass_obj
def erase(
    settings: Settings, model: str, version: str | None, yes: bool, by: str, reason: str
) -> None:
    """Delete the artifact of a version, or of a whole model, for good; the facts stay.

    Where an erased artifact came back, as with a backup, erasing it again deletes it again.
    """
    what = _named(model, version)
    if not yes:
        click.confirm(f"Delete the artifact of {what} for good?", abort=True)
    with opened(settings) as registry:
        registry.erase(model, version, by=by, reason=reason)
    click.echo(f"{what} is erased")


CHANGES: tuple[click.Command, ...] = (alias, tag, archive, restore, erase)
