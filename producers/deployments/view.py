"""Answers which deployments there are and how far each is, from the facts of their topic."""

from dataclasses import dataclass, replace
from enum import StrEnum

from modeltrail.producers.deployments.errors import AmbiguousDeployment, NoSuchDeployment
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRequested,
    DeploymentRequestRefused,
    DeploymentRolledBack,
    DeploymentSucceeded,
    Fact,
    StepCompleted,
    StepStarted,
)
from modeltrail.schemas.ids import EventId

End = (
    DeploymentSucceeded
    | DeploymentFailed
    | DeploymentCancelled
    | DeploymentRolledBack
    | DeploymentRequestRefused
)
_SHOWN = 5


class Standing(StrEnum):
    """How far a deployment is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    ROLLED_BACK = "ROLLED_BACK"
    REFUSED = "REFUSED"


_STANDINGS = {
    DeploymentSucceeded: Standing.SUCCEEDED,
    DeploymentFailed: Standing.FAILED,
    DeploymentCancelled: Standing.CANCELLED,
    DeploymentRolledBack: Standing.ROLLED_BACK,
    DeploymentRequestRefused: Standing.REFUSED,
}


@dataclass(frozen=True, slots=True)
class StepView:
    """A step that began, and how it ended."""

    started: StepStarted
    completed: StepCompleted | None = None


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """A deployment: what was asked for, its steps in order, and its newest end.

    One that succeeded may be rolled back later: then that is its end.
    """

    request: DeploymentRequested
    steps: tuple[StepView, ...] = ()
    end: End | None = None

    @property
    def deployment_id(self) -> EventId:
        """Its identity."""
        return self.request.event_id

    @property
    def standing(self) -> Standing:
        """How far it is."""
        if self.end is not None:
            return _STANDINGS[type(self.end)]
        return Standing.RUNNING if self.steps else Standing.QUEUED


class DeploymentsView:
    """What the facts absorbed so far say; those of one model come in the order of the log."""

    def __init__(self) -> None:
        self._held: dict[EventId, DeploymentView] = {}

    def absorb(self, fact: Fact) -> None:
        """Take the next fact; one that comes again, or too late, changes nothing."""
        if isinstance(fact, DeploymentRequested):
            self._held.setdefault(fact.event_id, DeploymentView(fact))
            return
        about = deployment_of(fact)
        known = self._held.get(about) if about is not None else None
        if known is not None:
            self._held[known.deployment_id] = _with(known, fact)

    def all(self, model_id: str = "") -> list[DeploymentView]:
        """Those of a model, or of every one, the oldest first."""
        wanted = [held for held in self._held.values() if model_id in ("", held.request.model_id)]
        return sorted(wanted, key=lambda each: (each.request.occurred_at, each.deployment_id))

    def find(self, prefix: str) -> DeploymentView:
        """The one whose id begins so, in hex; dashes and capitals do not matter.

        Raises:
            NoSuchDeployment: there is none.
            AmbiguousDeployment: there are several.
        """
        digits = prefix.replace("-", "").lower()
        found = [
            held for held in self.all() if digits and held.deployment_id.hex().startswith(digits)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(held.deployment_id.hex() for held in found[:_SHOWN])
            raise AmbiguousDeployment(
                f"{len(found)} deployments begin with {prefix}: give more of {ids}"
            )
        raise NoSuchDeployment(
            f"no deployment has an id that begins with {prefix!r:.80}: "
            "`modeltrail deployments list` shows them"
        )


def deployment_of(fact: Fact) -> EventId | None:
    """The deployment that a fact is about; None: it is about none, or about another request."""
    if isinstance(fact, DeploymentRequested):
        return fact.event_id
    if isinstance(fact, DeploymentRequestRefused):
        return fact.request_id
    about: EventId | None = getattr(fact, "deployment_id", None)
    return about


def _with(known: DeploymentView, fact: Fact) -> DeploymentView:
    match fact:
        case StepStarted() if known.end is None and fact.number == len(known.steps):
            return replace(known, steps=(*known.steps, StepView(fact)))
        case StepCompleted() if known.end is None and fact.number == len(known.steps) - 1:
            last = known.steps[-1]
            if last.completed is not None:
                return known
            return replace(known, steps=(*known.steps[:-1], replace(last, completed=fact)))
        case DeploymentRolledBack() if known.standing in (Standing.RUNNING, Standing.SUCCEEDED):
            return replace(known, end=fact)
        case (
            DeploymentSucceeded()
            | DeploymentFailed()
            | DeploymentCancelled()
            | DeploymentRequestRefused()
        ) if known.end is None:
            return replace(known, end=fact)
        case _:
            return known
