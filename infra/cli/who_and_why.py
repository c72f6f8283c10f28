"""Gives commands that change something the options `--by` and `--reason`."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def who_and_why(command: F) -> F:
    """The options, passed as `by` and `reason`; by default this account asks, without a reason."""
    by = click.option(
        "--by", default=_account, show_default="this account", help="Who asks for it."
    )
    return by(click.option("--reason", default="", help="Why, for the history.")(command))


def _account() -> str:
    from modeltrail.producers.experiments.capture import user_name

    return user_name()
