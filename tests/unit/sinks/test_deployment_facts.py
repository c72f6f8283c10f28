"""Facts about deployments become typed rows, and of nodes only the newest state counts."""

import json
from dataclasses import replace

import pytest

from modeltrail.schemas import events
from modeltrail.schemas.events import Fact, NodeReported, RoutingSet
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import NodeId
from modeltrail.schemas.topics import DEPLOYMENTS, NODES, ROUTING, TRIALS, Topic
from modeltrail.sinks.projector.records import TableRows
from tests.unit.sinks.batches import APPENDED_MS, event_id, projected, records

MOVES = [
    events.DeploymentRequested,
    events.DeploymentRequestRefused,
    events.StepStarted,
    events.StepCompleted,
    events.DeploymentSucceeded,
    events.DeploymentFailed,
    events.DeploymentCancelled,
    events.DeploymentRolledBack,
]


def rows_of(topic: Topic, facts: list[Fact], table: str) -> list[TableRows]:
    return [rows for rows in projected(records(topic.name, facts)).rows if rows.table == table]


@pytest.mark.parametrize("kind", MOVES)
def test_each_kind_of_fact_is_an_insert_of_its_own(kind: type[Fact]) -> None:
    fact = example_fact(kind)
    (rows,) = rows_of(DEPLOYMENTS, [fact], "deployment_rows")
    assert rows.part == kind.record.rpartition(".")[2]
    assert rows.columns["event_type"] == [rows.part]
    assert rows.columns["event_id_bytes"] == [fact.event_id]
    assert (rows.columns["offset"], rows.columns["appended_at"]) == ([100], [APPENDED_MS])
    assert {len(column) for column in rows.columns.values()} == {1}
    assert len(rows.columns["deployment_id"][0]) == 32


def test_a_request_and_what_refuses_it_are_about_one_deployment() -> None:
    request = example_fact(events.DeploymentRequested)
    refusal = replace(example_fact(events.DeploymentRequestRefused), request_id=request.event_id)
    found = rows_of(DEPLOYMENTS, [request, refusal], "deployment_rows")
    assert {rows.columns["deployment_id"][0] for rows in found} == {request.event_id.hex()}


def test_bytes_in_lists_are_hex_digits_in_the_log() -> None:
    fact = example_fact(RoutingSet)
    assert fact.arms, "the example has arms"
    (rows,) = rows_of(ROUTING, [fact], "event_log")
    payload = json.loads(rows.columns["payload"][0])
    assert [arm["artifact_sha256"] for arm in payload["arms"]] == [
        arm.artifact_sha256.hex() for arm in fact.arms
    ]
    assert [arm["share"] for arm in payload["arms"]] == [arm.share for arm in fact.arms]
    assert [arm["declared_metrics"] for arm in payload["arms"]] == [
        list(arm.declared_metrics) for arm in fact.arms
    ]


def test_an_empty_list_of_records_is_an_empty_list_in_the_log() -> None:
    (rows,) = rows_of(ROUTING, [replace(example_fact(RoutingSet), arms=())], "event_log")
    assert json.loads(rows.columns["payload"][0])["arms"] == []


def test_of_a_nodes_reports_the_newest_counts_and_none_is_in_the_log() -> None:
    facts: list[Fact] = [
        replace(
            example_fact(NodeReported),
            event_id=event_id(number),
            node_id=NodeId(f"gate-{number % 2}"),
            heartbeat_s=float(number),
        )
        for number in range(6)
    ]
    (rows,) = rows_of(NODES, facts, "node_state_rows")
    assert dict(zip(rows.columns["node_id"], rows.columns["heartbeat_s"], strict=True)) == {
        "gate-0": 4.0,
        "gate-1": 5.0,
    }
    served = example_fact(NodeReported).serves
    assert rows.columns["serves"][0] == [
        (each.model_id, each.revision, each.arm, each.version, each.artifact_sha256.hex())
        for each in served
    ]
    assert rows_of(NODES, facts, "event_log") == []


def test_sessions_of_trials_are_passed_over() -> None:
    # their sum is in the evidence of the step that they were measured for
    fact = example_fact(events.SessionsMeasured)
    assert projected(records(TRIALS.name, [fact])).rows == ()
