"""Reads a name and a value as people write them: team=vision."""

import click


class Pair(click.ParamType):
    """`name=value`, as both; without a value, where that will do, None."""

    name = "name=value"

    def __init__(self, *, value_needed: bool) -> None:
        self._value_needed = value_needed

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str | None]:
        """Both sides of the first equals sign; fails as click does where one is missing."""
        name, equals, rest = str(value).partition("=")
        if not name or (self._value_needed and not equals):
            self.fail(f"{value!r} is no NAME=VALUE", param, ctx)
        return name, rest if equals else None
