"""Tells one fact about a deployment in a line, as people follow it."""

from collections.abc import Iterable, Iterator

from rich.text import Text

from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentCancelRequested,
    DeploymentFailed,
    DeploymentRequested,
    DeploymentRequestRefused,
    DeploymentRolledBack,
    DeploymentSucceeded,
    Fact,
    RollbackRequested,
    StepCompleted,
    StepStarted,
    StepVerdict,
)

_MICROS = 1_000_000
_SHARES = 100
_NAME = 16
_GOOD = (StepVerdict.PASSED, StepVerdict.SKIPPED)
ENDS = (
    DeploymentSucceeded,
    DeploymentFailed,
    DeploymentCancelled,
    DeploymentRolledBack,
    DeploymentRequestRefused,
)


def lines_until_end(
    facts: Iterable[Fact | None], ends: tuple[type[Fact], ...] = ENDS
) -> Iterator[tuple[Text, Fact]]:
    """The line of each fact, up to the one of `ends` that ends what is followed."""
    for fact in facts:
        if fact is None:
            continue
        if (line := line_of(fact)) is not None:
            yield line, fact
        if isinstance(fact, ends):
            return


def line_of(fact: Fact) -> Text | None:
    """The line of a fact; None: people need not hear of it."""
    match fact:
        case DeploymentRequested():
            what = f"{fact.model_id} {fact.version} to {fact.environment}"
            return _line("requested", f"{what}, {fact.event_id.hex()[:8]}")
        case StepStarted():
            return _line(fact.step, _began(fact), "dim")
        case StepCompleted():
            seconds = (fact.occurred_at - fact.started_at) / _MICROS
            colour = "green" if fact.verdict in _GOOD else "red"
            return _line(fact.step, f"{fact.verdict} in {seconds:.1f} s: {fact.reason}", colour)
        case DeploymentSucceeded():
            before = f" instead of {fact.replaced_version}" if fact.replaced_version else ""
            told = f"{fact.version} has all traffic of {fact.environment}{before}"
            return _line("succeeded", told, "bold green")
        case DeploymentFailed():
            return _line("failed", f"at {fact.step}: {fact.reason}", "bold red")
        case DeploymentCancelled():
            by = f"by {fact.cancelled_by}: " if fact.cancelled_by else ""
            return _line("cancelled", f"{by}{fact.reason}", "bold yellow")
        case DeploymentRolledBack():
            to = fact.to_version or "nothing"
            return _line("rolled back", f"to {to} ({fact.cause}): {fact.reason}", "bold red")
        case DeploymentRequestRefused():
            return _line("refused", f"{fact.reason}: {fact.detail}", "bold red")
        case DeploymentCancelRequested() | RollbackRequested():
            return _line("asked for", type(fact).__name__, "dim")
        case _:
            return None


def _began(fact: StepStarted) -> str:
    share = f"began, {fact.share / _SHARES:g} % of sessions" if fact.share >= 0 else "began"
    return f"{share}, beside {fact.baseline_version}" if fact.baseline_version else share


def _line(name: str, text: str, style: str = "") -> Text:
    return Text(f"  {name.lower().replace('_', ' '):<{_NAME}}{text}", style=style)
