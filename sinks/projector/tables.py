"""Reads and writes the projector's tables in ClickHouse: marks, and rows under a token."""

import importlib
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence

from clickhouse_driver import Client

from modeltrail.infra.clock import Clock
from modeltrail.sinks.projector.fold import Claim, Mark, Range, State, insert_token
from modeltrail.sinks.projector.records import Source, TableRows
from modeltrail.sinks.sql_files import fills, in_database

SINK = "projector"
_READ_MARKS = """
SELECT topic_id, partition, epoch, writer, toString(state), first_offset, end_offset
FROM {database}.sink_marks
WHERE sink = %(sink)s AND topic_id IN %(topic_ids)s
"""
_WRITE_MARKS = """
INSERT INTO {database}.sink_marks
(sink, topic, topic_id, partition, epoch, writer, state, first_offset, end_offset,
 dead_letters, recorded_at)
VALUES
"""


class Tables:
    """The tables of one database, through one connection; calls raise the driver's errors."""

    def __init__(self, client: Client, database: str, clock: Clock) -> None:
        # Arrays have no numpy form in the driver and it says so at every insert.
        logging.getLogger("clickhouse_driver.columns.service").setLevel(logging.ERROR)
        # The driver imports pandas at the first columnar insert, which then waits for seconds.
        importlib.import_module("clickhouse_driver.columns.numpy.service")
        self._client = client
        self._database = database
        self._clock = clock

    def read_marks(self, sources: Sequence[Source]) -> Mapping[Source, Sequence[Mark]]:
        """The marks of each source, in no order; empty for none."""
        by_place = {(source.topic_id, source.partition): source for source in sources}
        marks: dict[Source, list[Mark]] = defaultdict(list, {source: [] for source in sources})
        rows = self._client.execute(
            in_database(_READ_MARKS, self._database),
            {"sink": SINK, "topic_ids": sorted({source.topic_id for source in sources})},
        )
        for topic_id, partition, epoch, writer, state, first, end in rows:
            if source := by_place.get((topic_id, partition)):
                mark = Mark(Claim(epoch, writer), State(state), Range(first, end))
                marks[source].append(mark)
        return marks

    def write_marks(self, marks: Mapping[Source, Mark], letters: Mapping[Source, int]) -> None:
        """Write all `marks` at once, with the dead letters that each range had."""
        now = self._clock.now_us()
        self._client.execute(
            in_database(_WRITE_MARKS, self._database),
            [
                (
                    SINK,
                    source.topic,
                    source.topic_id,
                    source.partition,
                    mark.claim.epoch,
                    mark.claim.writer,
                    mark.state.value,
                    mark.range.first,
                    mark.range.end,
                    letters.get(source, 0),
                    now,
                )
                for source, mark in marks.items()
            ],
        )

    def fill(self, ends: Mapping[Source, int]) -> None:
        """Give tables the facts that an older projector left in the log alone.

        Nobody else writes these partitions now; what is there already is not copied again.

        Args:
            ends: where to stop in each partition: facts of a range that was not finished may be in
                the log and come again into every table.
        """
        given = {
            "places": tuple((source.topic_id, source.partition) for source in ends),
            "names": [f"{source.topic_id}-{source.partition}" for source in ends],
            "ends": list(ends.values()),
        }
        for each in fills():
            self._client.execute(each.statement(self._database), given)

    def insert(self, source: Source, of: Range, rows: TableRows) -> None:
        """Insert one block; the same block again is dropped by its token."""
        token = insert_token(SINK, rows.table, source.topic_id, source.partition, of, rows.part)
        names = ", ".join(rows.columns)
        self._client.execute(
            in_database(f"INSERT INTO {{database}}.{rows.table} ({names}) VALUES", self._database),
            list(rows.columns.values()),
            columnar=True,
            settings={
                "insert_deduplication_token": token,
                "insert_deduplicate": 1,
                # One block is one atomic part: never let the driver cut it.
                "insert_block_size": max(len(rows), 1),
                "use_numpy": rows.columnar,
                "strings_as_bytes": rows.columnar,
            },
        )

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
