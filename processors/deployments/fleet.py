"""Answers which nodes are alive, and what each serves: its newest report, unless it is too old."""

from dataclasses import dataclass, field

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import NodeReported, NodeStopped
from modeltrail.schemas.ids import ModelId, NodeId

#: A node that missed this many of its own heartbeats is taken for dead.
_HEARTBEATS = 3


@dataclass(slots=True)
class Fleet:
    """Nodes by their last words; those of one node come in the order of the log."""

    _newest: dict[NodeId, tuple[int, NodeReported | NodeStopped]] = field(default_factory=dict)

    def absorb(self, record: Appended) -> None:
        """Take a fact of the nodes topic; one that comes again changes nothing."""
        fact = record.fact
        if isinstance(fact, NodeReported | NodeStopped):
            known = self._newest.get(fact.node_id)
            if known is None or record.appended_ms >= known[0]:
                self._newest[fact.node_id] = record.appended_ms, fact

    def live(self, now_ms: int) -> tuple[NodeReported, ...]:
        """The newest report of each node that is alive, in order of node id."""
        return tuple(
            fact
            for _, (appended_ms, fact) in sorted(self._newest.items())
            if isinstance(fact, NodeReported)
            and now_ms - appended_ms <= _HEARTBEATS * fact.heartbeat_s * 1000
        )


def follows(report: NodeReported, model_id: ModelId) -> bool:
    """Whether a node serves what is routed of a model; one that names no models serves all."""
    return not report.follows or model_id in report.follows
