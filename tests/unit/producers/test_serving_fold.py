"""What a node loads, serves and lets go follows from routings and from what could be loaded."""

from dataclasses import replace

import pytest

from modeltrail.producers.serving.fold import (
    NodeState,
    failed,
    failing,
    is_settled,
    loaded,
    may_come,
    next_load,
    next_retry,
    released,
    routed,
    served_arms,
    transient,
    unneeded,
    withdrawn,
)
from modeltrail.schemas.events import LoadOutcome, RoutedArm, RoutingSet
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version
from modeltrail.schemas.routing import CANDIDATE, CHAMPION, WHOLE

MODEL = ModelId("centerface")


def sha(version: int) -> Sha256:
    return Sha256(bytes([version]) * 32)


def arm(name: str, version: int, share: int) -> RoutedArm:
    return RoutedArm(name, Version(f"v{version}.0.0"), sha(version), "file:///m", 1, (), share)


def routing(revision: int, *arms: RoutedArm, model: str = MODEL) -> RoutingSet:
    about = ("production", ModelId(model), revision, "salt", arms)
    return RoutingSet(EventId(bytes([revision]) * 16), Micros(revision), *about)


ALONE = routing(1, arm(CHAMPION, 1, WHOLE))
BOTH = routing(2, arm(CANDIDATE, 2, 500), arm(CHAMPION, 1, 9500))
PROMOTED = routing(3, arm(CHAMPION, 2, WHOLE))


def serving(*versions: int) -> NodeState:
    state = routed(NodeState(), ALONE)
    for version in (1, *versions):
        state = loaded(state, sha(version))
    return state


def versions_served(state: NodeState) -> list[str]:
    return [served.version for served in served_arms(state)]


def fails(state: NodeState, version: int, outcome: LoadOutcome, now: float = 0.0) -> NodeState:
    return failed(state, sha(version), outcome, "why", now, longest_backoff_s=4.0)


def test_a_routing_is_served_once_all_its_arms_are_loaded() -> None:
    state = routed(serving(), BOTH)
    assert versions_served(state) == ["v1.0.0"]
    assert not is_settled(state, MODEL)

    state = loaded(state, sha(2))
    assert [(each.arm, each.version, each.revision) for each in served_arms(state)] == [
        (CANDIDATE, "v2.0.0", 2),
        (CHAMPION, "v1.0.0", 2),
    ]
    assert is_settled(state, MODEL)


@pytest.mark.parametrize(
    ("champion", "candidate", "expected"),
    [
        # Nothing is known of an artifact that is still on its way.
        (None, None, True),
        (LoadOutcome.FETCH_FAILED, None, True),
        (LoadOutcome.LOAD_FAILED, LoadOutcome.LOAD_FAILED, True),
        (None, LoadOutcome.HASH_MISMATCH, True),
        (LoadOutcome.FETCH_FAILED, LoadOutcome.HASH_MISMATCH, True),
        (LoadOutcome.HASH_MISMATCH, LoadOutcome.HASH_MISMATCH, False),
        # The champion alone is served already.
        (LoadOutcome.LOADED, LoadOutcome.FETCH_FAILED, False),
        (LoadOutcome.LOADED, LoadOutcome.HASH_MISMATCH, False),
        (LoadOutcome.HASH_MISMATCH, LoadOutcome.LOADED, False),
    ],
)
def test_what_is_not_served_may_come_while_an_artifact_is_missing_that_others_do_not_replace(
    champion: LoadOutcome | None, candidate: LoadOutcome | None, expected: bool
) -> None:
    state = routed(NodeState(), BOTH)
    for version, outcome in ((1, champion), (2, candidate)):
        if outcome is LoadOutcome.LOADED:
            state = loaded(state, sha(version))
        elif outcome is not None:
            state = fails(state, version, outcome)

    assert may_come(state, MODEL) is expected


def test_a_model_without_a_routing_or_an_arm_does_not_come_by_waiting() -> None:
    assert not may_come(NodeState(), MODEL)
    assert not may_come(routed(NodeState(), routing(1)), MODEL)


def test_what_is_loaded_already_is_served_at_once() -> None:
    state = routed(loaded(routed(serving(), BOTH), sha(2)), PROMOTED)
    assert versions_served(state) == ["v2.0.0"]
    assert next_load(state, 0.0) is None


def test_an_older_or_repeated_routing_changes_nothing() -> None:
    state = loaded(routed(serving(), BOTH), sha(2))
    assert routed(state, ALONE) is state
    assert routed(state, BOTH) is state


def test_champions_are_loaded_first_then_large_shares() -> None:
    state = routed(NodeState(), routing(1, arm(CANDIDATE, 2, 9000), arm(CHAMPION, 1, 1000)))
    state = routed(state, routing(1, arm(CANDIDATE, 3, 9500), arm(CHAMPION, 4, 500), model="b"))
    order = []
    while (load := next_load(state, 0.0)) is not None:
        order.append(load.arm.version)
        state = loaded(state, load.arm.artifact_sha256)
    assert order == ["v1.0.0", "v4.0.0", "v3.0.0", "v2.0.0"]


def test_a_model_that_does_not_load_changes_nothing_but_what_is_reported() -> None:
    before = serving()
    state = fails(routed(before, PROMOTED), 2, LoadOutcome.LOAD_FAILED)
    assert served_arms(state) == served_arms(before)
    assert failing(state) == ("centerface v2.0.0",)
    assert next_load(state, 0.0) is None


@pytest.mark.parametrize(
    "outcome", [LoadOutcome.FETCH_FAILED, LoadOutcome.HASH_MISMATCH, LoadOutcome.LOAD_FAILED]
)
def test_what_failed_is_tried_again_after_pauses_that_double_up_to_the_longest(
    outcome: LoadOutcome,
) -> None:
    state = routed(serving(), PROMOTED)
    pauses = []
    now = 10.0
    for _ in range(6):
        state = fails(state, 2, outcome, now)
        retry_at = next_retry(state)
        assert retry_at is not None
        assert next_load(state, retry_at - 0.01) is None
        assert next_load(state, retry_at) is not None
        pauses.append(retry_at - now)
        now = retry_at
    assert pauses == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert failing(loaded(state, sha(2))) == ()


@pytest.mark.parametrize(
    ("outcome", "may_pass"),
    [
        (LoadOutcome.FETCH_FAILED, True),
        (LoadOutcome.LOAD_FAILED, True),
        (LoadOutcome.HASH_MISMATCH, False),
    ],
)
def test_a_failure_may_pass_unless_the_bytes_are_others(
    outcome: LoadOutcome, may_pass: bool
) -> None:
    state = fails(routed(serving(), PROMOTED), 2, outcome)
    assert failing(state) == ("centerface v2.0.0",)
    assert transient(state) == (("centerface v2.0.0",) if may_pass else ())
    assert transient(loaded(state, sha(2))) == ()


def test_a_routing_gives_what_failed_another_chance() -> None:
    state = fails(routed(serving(), PROMOTED), 2, LoadOutcome.LOAD_FAILED)
    again = routed(state, replace(PROMOTED, revision=4))
    assert next_load(again, 0.0) is not None
    assert failing(again) == ()


def test_a_failure_is_forgotten_once_nobody_wants_the_model() -> None:
    state = fails(routed(serving(), BOTH), 2, LoadOutcome.FETCH_FAILED)
    state = routed(state, replace(ALONE, revision=3))
    assert (failing(state), next_retry(state), versions_served(state)) == ((), None, ["v1.0.0"])


def test_a_starting_node_serves_the_champion_alone_only_once_the_other_arm_failed() -> None:
    state = loaded(routed(NodeState(), BOTH), sha(1))
    assert served_arms(state) == ()
    state = fails(state, 2, LoadOutcome.FETCH_FAILED)
    assert [(each.arm, each.version) for each in served_arms(state)] == [(CHAMPION, "v1.0.0")]
    assert state.served[MODEL].arms[0].share == WHOLE
    assert versions_served(loaded(state, sha(2))) == ["v2.0.0", "v1.0.0"]


def test_without_arms_nothing_is_served() -> None:
    state = routed(serving(), routing(2))
    assert served_arms(state) == ()
    assert unneeded(state) == {sha(1)}


def test_a_withdrawn_routing_is_served_no_more() -> None:
    state = withdrawn(serving(), MODEL)
    assert served_arms(state) == ()
    assert unneeded(state) == {sha(1)}


def test_models_are_let_go_only_when_neither_wanted_nor_served() -> None:
    state = routed(serving(), PROMOTED)
    assert unneeded(state) == frozenset()
    state = loaded(state, sha(2))
    assert unneeded(state) == {sha(1)}
    assert released(state, unneeded(state)).loaded == {sha(2)}
