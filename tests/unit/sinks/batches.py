"""Makes batches of records out of facts, as the projector gets them from one partition."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import Fact, InferenceMeasured
from modeltrail.schemas.ids import EventId
from modeltrail.sinks.projector.project import project
from modeltrail.sinks.projector.records import Projected, Records, Source

CODEC = Codec(MemorySchemaIds())
APPENDED_MS = 1_767_225_600_000
PREFIX = "modeltrail."
TOPIC_ID = "0f" * 16

DeclaredSince = Callable[[str, str, tuple[str, ...]], int | None]


def event_id(number: int) -> EventId:
    return EventId(number.to_bytes(16, "big"))


def measured(number: int = 1, **changes: Any) -> InferenceMeasured:
    """A measurement captured when the batch was appended."""
    values: dict[str, Any] = {
        "event_id": event_id(number),
        "captured_at": APPENDED_MS * 1000,
        "node_id": "gate-1",
        "session_id": "morning",
        "frame": number,
        "model_id": "centerface",
        "version": "v1.0.0",
        "artifact_sha256": b"\x77" * 32,
        "execution_provider": "CPUExecutionProvider",
        "environment": "production",
        "arm": "champion",
        "sampling_rate": 1.0,
        "latency_ms": 40.0,
        **changes,
    }
    return InferenceMeasured(**values)


def records(
    topic: str,
    facts: Sequence[Fact | bytes | None],
    *,
    appended_ms: Sequence[int] | None = None,
    first_offset: int = 100,
) -> Records:
    """One partition's records, appended at `APPENDED_MS` unless told otherwise."""
    count = len(facts)
    values = [CODEC.encode(fact) if isinstance(fact, Fact) else fact for fact in facts]
    return Records(
        Source(topic, TOPIC_ID, 3),
        np.arange(first_offset, first_offset + count, dtype=np.int64),
        np.array(appended_ms or [APPENDED_MS] * count, dtype=np.int64),
        [b"key"] * count,
        values,
    )


def nothing_declared(model_id: str, version: str, names: tuple[str, ...]) -> int | None:
    return None


def projected(
    batch: Records, declared_since: DeclaredSince = nothing_declared, *, limit: float = 1.0
) -> Projected:
    return project(batch, CODEC, declared_since, topic_prefix=PREFIX, dead_letter_limit=limit)
