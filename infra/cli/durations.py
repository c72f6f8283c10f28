"""Reads a length of time as people write it: 90s, 30m, 2h, 1d12h."""

import re
from typing import Any

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class Duration(click.ParamType):
    """A length of time, converted to seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds of `1d12h`; fails as click does on anything else."""
        if isinstance(value, float):
            return value
        parts = _PART.findall(str(value))
        if not parts or "".join(number + unit for number, unit in parts) != value:
            self.fail(f"{value!r} is no length of time: write 90s, 30m, 2h or 1d12h", param, ctx)
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
