"""Answers how far the projector has come, and waits until it has come far enough."""

import time
from collections.abc import Mapping

from clickhouse_driver import Client

from modeltrail.infra.errors import Unavailable
from modeltrail.sinks.sql_files import in_database

_POSITIONS = """
SELECT toString(topic), partition, argMax(next_offset, updated_at)
FROM {database}.sink_progress
WHERE sink = 'projector'
GROUP BY topic, partition
"""
_PAUSE_S = 0.05

Place = tuple[str, int]
"""Topic without prefix, and partition."""


def positions(client: Client, database: str) -> dict[Place, int]:
    """Everything before these offsets is in the tables; of a topic made again, the newest."""
    return {
        (topic, partition): next_offset
        for topic, partition, next_offset in client.execute(in_database(_POSITIONS, database))
    }


def wait_until_projected(
    client: Client, database: str, ends: Mapping[Place, int], timeout_s: float
) -> None:
    """Wait until every record before `ends` (high watermarks, say) is visible in SQL.

    Raises:
        Unavailable: it was not within `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        now = positions(client, database)
        behind = {place: end for place, end in ends.items() if now.get(place, 0) < end}
        if not behind:
            return
        if time.monotonic() > deadline:
            (topic, partition), end = next(iter(behind.items()))
            raise Unavailable(
                f"the projector has not finished {len(behind)} partitions within {timeout_s:.0f} s "
                f"(topic {topic}, partition {partition}: at {now.get((topic, partition), 0)} of "
                f"{end}): check that `modeltrail worker projector` runs, and its log"
            )
        time.sleep(_PAUSE_S)
