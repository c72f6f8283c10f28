"""Facts about models and runs also become typed rows, each kind under a token of its own."""

import pytest

from modeltrail.schemas import events
from modeltrail.schemas.events import Fact, MetricsLogged, RunHeartbeat
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.topics import EXPERIMENTS, REGISTRY, Topic
from modeltrail.sinks.projector.records import TableRows
from tests.unit.sinks.batches import APPENDED_MS, projected, records

OF_RUNS = [
    kind for kind in EXPERIMENTS.facts if kind not in (MetricsLogged, RunHeartbeat)
]  # fmt: skip
OF_MODELS = [
    events.ModelRegistered,
    events.AliasAssigned,
    events.AliasRemoved,
    events.ModelTagSet,
    events.ModelArchived,
    events.ModelRestored,
    events.ModelErased,
]


def rows_of(topic: Topic, facts: list[Fact], table: str) -> list[TableRows]:
    return [rows for rows in projected(records(topic.name, facts)).rows if rows.table == table]


@pytest.mark.parametrize(
    ("topic", "table", "kind"),
    [(EXPERIMENTS, "run_rows", kind) for kind in OF_RUNS]
    + [(REGISTRY, "registry_rows", kind) for kind in OF_MODELS],
)
def test_each_kind_of_fact_is_an_insert_of_its_own(
    topic: Topic, table: str, kind: type[Fact]
) -> None:
    fact = example_fact(kind)
    (rows,) = rows_of(topic, [fact], table)
    assert rows.part == kind.record.rpartition(".")[2]
    assert rows.columns["event_type"] == [rows.part]
    assert rows.columns["event_id_bytes"] == [fact.event_id]
    assert (rows.columns["offset"], rows.columns["appended_at"]) == ([100], [APPENDED_MS])
    assert {len(column) for column in rows.columns.values()} == {1}


def test_no_two_inserts_of_a_range_have_the_same_token() -> None:
    facts: list[Fact] = [example_fact(kind) for kind in EXPERIMENTS.facts for _ in range(2)]
    parts = [(rows.table, rows.part) for rows in projected(records("experiments", facts)).rows]
    assert len(parts) == len(set(parts)) == len(OF_RUNS) + 3


def test_a_signature_is_written_as_tuples_and_a_digest_as_hex() -> None:
    fact = example_fact(events.ModelRegistered)
    assert fact.tensors, "the example has a signature"
    (rows,) = rows_of(REGISTRY, [fact], "registry_rows")
    (tensors,), (opsets,) = rows.columns["tensors"], rows.columns["opsets"]
    assert tensors == [
        (each.is_input, each.name, each.dtype, list(each.shape)) for each in fact.tensors
    ]
    assert opsets == [(each.domain, each.version) for each in fact.opsets]
    assert rows.columns["artifact_sha256"] == [fact.artifact_sha256.hex()]


def test_a_run_is_seen_once_a_range_whatever_it_says() -> None:
    facts: list[Fact] = [example_fact(kind) for kind in EXPERIMENTS.facts]
    runs = {fact.run_id for fact in facts}  # type: ignore[attr-defined]
    times = [APPENDED_MS + number for number in range(len(facts))]
    (rows,) = [
        rows
        for rows in projected(records("experiments", facts, appended_ms=times)).rows
        if rows.table == "run_seen_rows"
    ]
    assert set(rows.columns["run_id"]) == runs
    assert len(rows) == len(runs)
    assert max(rows.columns["seen_at"]) == times[-1]
