"""Gives commands the option `--format`: as a table for people, or as JSON or CSV for programs."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def form_option(*forms: str) -> Callable[[F], F]:
    """The option, whose value is passed as `form`; the first form is the default."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=forms[0], show_default=True
    )
