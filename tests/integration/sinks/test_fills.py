"""What a projector copies from the log as it takes over does not come a second time."""

import numpy as np
import pytest

from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.topics import EXPERIMENTS, REGISTRY, Topic
from modeltrail.sinks.projector.fold import Range
from modeltrail.sinks.projector.project import project
from modeltrail.sinks.projector.records import Records, Source
from modeltrail.sinks.projector.tables import Tables
from tests.unit.sinks.batches import CODEC


@pytest.mark.parametrize(
    ("topic", "table"), [(REGISTRY, "registry_rows"), (EXPERIMENTS, "run_rows")]
)
def test_a_range_that_was_cut_off_after_the_log_comes_once_into_every_table(
    fresh_settings: Settings, topic: Topic, table: str
) -> None:
    facts = [example_fact(kind) for kind in topic.facts]
    source, of = Source(topic.name, "ab" * 16, 0), Range(0, len(facts))
    numbers = np.arange(len(facts))
    values = [CODEC.encode(fact) for fact in facts]
    records = Records(source, numbers, numbers + 1_780_000_000_000, [b"k"] * len(facts), values)
    projected = project(
        records, CODEC, lambda *_: None, topic_prefix="modeltrail.", dead_letter_limit=1.0
    )
    with make_client(fresh_settings.clickhouse) as client:
        tables = Tables(client, fresh_settings.clickhouse.database, SystemClock())
        # given a projector that died when the first table, the log, had the range
        tables.insert(source, of, projected.rows[0])

        # when its successor takes over and the range comes again
        tables.fill({source: of.first})
        for rows in projected.rows:
            tables.insert(source, of, rows)

        # then each fact is there once
        ((found, distinct),) = client.execute(f"SELECT count(), uniqExact(offset) FROM {table}")
    assert found == distinct
    assert found > 0
