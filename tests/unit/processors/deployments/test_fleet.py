"""A node is alive while it reports; its newest words count."""

from dataclasses import replace

from modeltrail.processors.deployments.fleet import Fleet, follows
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import Fact, NodeReported, NodeStopped
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import ModelId, NodeId


def report(node: str, environment: str = "staging") -> NodeReported:
    return replace(
        example_fact(NodeReported),
        node_id=NodeId(node),
        environment=environment,
        heartbeat_s=10.0,
    )


def fleet_of(*facts: tuple[int, Fact]) -> Fleet:
    fleet = Fleet()
    for at_ms, fact in facts:
        fleet.absorb(Appended(0, 0, at_ms, fact))
    return fleet


def test_a_node_that_missed_three_heartbeats_is_not_alive() -> None:
    fleet = fleet_of((0, report("b")), (5000, report("a")))
    assert [each.node_id for each in fleet.live(30_000)] == ["a", "b"]
    assert [each.node_id for each in fleet.live(30_001)] == ["a"]
    assert fleet.live(60_000) == ()


def test_a_node_that_stopped_is_not_alive_and_one_that_comes_back_is() -> None:
    stopped = replace(example_fact(NodeStopped), node_id=NodeId("a"))
    fleet = fleet_of((0, report("a")), (1000, stopped))
    assert fleet.live(1000) == ()
    fleet.absorb(Appended(0, 0, 2000, report("a", "edge")))
    assert [each.environment for each in fleet.live(2000)] == ["edge"]


def test_what_is_read_again_does_not_hide_what_is_newer() -> None:
    fleet = fleet_of((2000, report("a", "new")), (1000, report("a", "old")))
    assert [each.environment for each in fleet.live(2000)] == ["new"]


def test_a_node_follows_the_models_that_it_names_and_all_if_it_names_none() -> None:
    mine, another = ModelId("centerface"), ModelId("another")
    some = replace(report("a"), follows=(mine,))
    assert [follows(some, each) for each in (mine, another)] == [True, False]
    every = replace(report("a"), follows=())
    assert [follows(every, each) for each in (mine, another)] == [True, True]
