"""Reads a point in time as people write it: 2026-07-01T12:00:00Z, 2026-07-01, now."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from modeltrail.infra.clock import Clock, SystemClock
from modeltrail.schemas.ids import Micros

_EPOCH = datetime.fromtimestamp(0, UTC)


class Moment(click.ParamType):
    """A point in time in ISO 8601, converted to microseconds since the epoch; UTC if not said."""

    name = "time"

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Micros:
        """Microseconds of `2026-07-01T12:00:00Z`; fails as click does on anything else."""
        if isinstance(value, int):
            return Micros(value)
        if value == "now":
            return Micros(self._clock.now_us())
        try:
            time = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(
                f"{value!r} is no time: write 2026-07-01T12:00:00Z, 2026-07-01 or now", param, ctx
            )
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        return Micros((time - _EPOCH) // timedelta(microseconds=1))
