"""Answers what a fold is given: a fact and where and when the log took it."""

from dataclasses import dataclass

from modeltrail.schemas.events import Fact


@dataclass(frozen=True, slots=True)
class Appended:
    """A fact in the log; `appended_ms` is the broker's append time since the epoch."""

    partition: int
    offset: int
    appended_ms: int
    fact: Fact
