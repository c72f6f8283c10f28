"""Answers what drives a deployment: a fact in the log, or that it is now so late."""

from dataclasses import dataclass

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import NodeReported


@dataclass(frozen=True, slots=True)
class Tick:
    """It is `now_us`, and everything that was appended by then was told.

    Attributes:
        now_us: wall time, microseconds since the epoch.
        live: the newest report of each node that is alive, in order of node id.
    """

    now_us: int
    live: tuple[NodeReported, ...] = ()


Input = Appended | Tick
