"""Shows how a stack starts or stops: a live table on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Protocol, Self

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.part import last_lines
from modeltrail.infra.stack.state import PartState, StackState, load_state

_DETAIL_EVERY_S = 3.0
_REDRAW_EVERY_S = 0.1
_COLOURS = {"ready": "green", "done": "green", "failed": "red", "starting": "yellow"}


class StackView(Protocol):
    """Something to show successive states on."""

    def follow(self, state: StackState) -> None:
        """Show a state; called many times a second."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def view_of(layout: Layout) -> StackView:
    """The view that suits where our output goes; what is so already is no news to it."""
    console = Console()
    if console.is_terminal:
        return LiveView(layout, console)
    return LineView(layout, known=load_state(layout.state))


class LineView:
    """One line whenever a part changes, and every few seconds what a slow one is doing."""

    def __init__(self, layout: Layout, known: StackState | None = None) -> None:
        self._layout = layout
        self._shown = {part.name: str(part.phase) for part in known.parts} if known else {}
        self._detailed = time.monotonic()

    def follow(self, state: StackState) -> None:
        """Print what has changed."""
        for part in state.parts:
            if part.phase != "waiting" and self._shown.get(part.name) != part.phase:
                self._shown[part.name] = part.phase
                click.echo(f"  {part.name:<14}{part.phase:<10}{_elapsed(part)}")
        if time.monotonic() - self._detailed > _DETAIL_EVERY_S:
            self._detailed = time.monotonic()
            for part in state.parts:
                if part.phase in ("starting", "stopping"):
                    doing = _doing(self._layout, part)
                    click.echo(f"  {part.name:<14}{'…':<10}{_elapsed(part)}  {doing}".rstrip())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


class LiveView:
    """A table that is drawn over itself."""

    def __init__(self, layout: Layout, console: Console) -> None:
        self._layout = layout
        self._live = Live(console=console, auto_refresh=False)
        self._drawn = 0.0
        self._state: StackState | None = None

    def follow(self, state: StackState) -> None:
        """Draw the table again."""
        self._state = state
        if time.monotonic() - self._drawn > _REDRAW_EVERY_S:
            self._drawn = time.monotonic()
            self._live.update(self._table(state), refresh=True)

    def _table(self, state: StackState) -> Table:
        table = Table.grid(padding=(0, 2))
        for part in state.parts:
            phase = Text(part.phase, style=_COLOURS.get(part.phase, "dim"))
            doing = Text(_doing(self._layout, part), style="dim", no_wrap=True, overflow="ellipsis")
            table.add_row(f"  {part.name}", phase, _elapsed(part), doing)
        return table

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._state is not None:
            self._live.update(self._table(self._state), refresh=True)
        self._live.stop()


def _elapsed(part: PartState) -> str:
    if part.phase == "waiting":
        return ""
    seconds = max(0.0, time.time() - part.since) if part.phase == "starting" else part.took_s
    return f"{seconds:5.1f} s" if part.phase in ("starting", "ready", "done") else ""


def _doing(layout: Layout, part: PartState) -> str:
    if part.phase != "starting" or not part.tells_progress:
        return ""
    return "".join(last_lines(layout.log(part.name), 1))
