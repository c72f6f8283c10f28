"""Hands whole fetches of a Kafka partition to a Faust agent, and commits what the agent says."""

from modeltrail.processors.batching.abreast import abreast
from modeltrail.processors.batching.transport import (
    BATCHES_A_POLL,
    FetchBatch,
    ResumeFrom,
    batched_topic,
    use_batched_transport,
)

__all__ = [
    "BATCHES_A_POLL",
    "FetchBatch",
    "ResumeFrom",
    "abreast",
    "batched_topic",
    "use_batched_transport",
]
