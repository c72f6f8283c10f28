"""A session counts once, by its first measurements of the trial, in the arm that they are of."""

from dataclasses import replace
from typing import Any

import pytest

from modeltrail.processors.trials.partition import TrialPartition
from modeltrail.schemas.codec import encode_datum
from modeltrail.schemas.events import Fact, TimeMarked
from modeltrail.schemas.ids import LONGEST_ID, EventId, Micros, NodeId, Version
from tests.unit.processors.trials.inference_log import (
    CANDIDATE,
    CHAMPION,
    DEPLOYMENT,
    SINCE_MS,
    TRIAL,
    fetch_of,
    frames,
    measured,
    news_of,
    records,
)


def sessions(facts: list[Fact]) -> list[tuple[str, str, tuple[float | None, ...]]]:
    return [
        (value.session_id, value.arm, value.means)
        for fact in news_of(records(facts))
        for value in fact.sessions
    ]


def test_a_session_counts_with_the_mean_of_its_first_measurements() -> None:
    assert sessions(frames("a", 9)) == [("a", "champion", (11.0, None))]


def test_a_session_with_too_few_measurements_does_not_count_yet() -> None:
    assert sessions(frames("a", 2)) == []


def test_a_session_counts_in_each_arm_that_it_measures_in() -> None:
    found = sessions([*frames("a", 3), *frames("a", 4, "candidate")])
    assert found == [("a", "champion", (11.0, None)), ("a", "candidate", (11.0, None))]


def test_sessions_come_in_the_order_in_which_they_count() -> None:
    mixed = [*frames("late", 2), *frames("soon", 3), *frames("late", 3)[2:]]
    assert [session for session, _, _ in sessions(mixed)] == ["soon", "late"]


def test_a_metric_counts_where_it_was_measured() -> None:
    facts: list[Fact] = [
        measured("a", 0, latency_ms=None, extra_names=("blur", "other"), extra_values=(2.0, 9.0)),
        measured("a", 1, latency_ms=20.0),
        measured("a", 2, latency_ms=40.0, extra_names=("blur",), extra_values=(4.0,)),
    ]
    assert sessions(facts) == [("a", "champion", (30.0, 3.0))]


@pytest.mark.parametrize(
    "changes",
    [
        {"model_id": "another"},
        {"environment": "staging"},
        {"version": Version("v9.0.0")},
        {"version": CANDIDATE},
        {"arm": "another"},
        {"latency_ms": float("nan")},
        {"captured_at": Micros(SINCE_MS * 1000 + 60_000_000)},
    ],
)
def test_what_is_not_of_the_trial_or_no_fact_does_not_count(changes: dict[str, Any]) -> None:
    assert sessions(frames("a", 5, **changes)) == []


def test_what_was_appended_before_the_step_started_does_not_count() -> None:
    log = records([*frames("a", 5)], SINCE_MS - 3)
    partition = TrialPartition(TRIAL, 0)
    partition.absorb(fetch_of(log))
    assert partition.news() == []


def test_other_facts_and_what_is_none_are_passed_over() -> None:
    facts = [TimeMarked(EventId(bytes(16)), 0), b"noise", None, *frames("a", 3)]
    (news,) = news_of(records(facts))
    assert (len(news.sessions), news.through_offset) == (1, 5)


def test_news_say_what_they_are_of() -> None:
    (news,) = news_of(records(frames("a", 3, "candidate", node_id=NodeId("gate-7"))))
    (value,) = news.sessions
    assert (news.deployment_id, news.step_number, news.metrics) == (DEPLOYMENT, 5, TRIAL.metrics)
    assert news.occurred_at == (SINCE_MS + 2) * 1000
    assert (value.version, value.node_id, value.frames) == (CANDIDATE, "gate-7", 3)
    assert value.last_captured_at == SINCE_MS * 1000 + 2


def test_the_same_log_read_in_the_same_parts_gives_the_same_facts() -> None:
    log = records([*frames("a", 3), *frames("b", 3)])
    assert news_of(log, [3]) == news_of(log, [3])
    assert len({fact.event_id for fact in (*news_of(log), *news_of(log, [3]))}) == 3


def test_without_news_nothing_is_told() -> None:
    partition = TrialPartition(TRIAL, 0)
    partition.absorb(fetch_of(records(frames("a", 5))))
    assert len(partition.news()) == 1
    assert partition.news() == []


def test_many_sessions_come_in_facts_that_fit_into_a_message() -> None:
    facts = [fact for number in range(600) for fact in frames(f"s{number}", 3)]
    news = news_of(records(facts))
    assert [len(fact.sessions) for fact in news] == [250, 250, 100]
    assert len({fact.event_id for fact in news}) == 3


def begun(facts: list[Fact]) -> tuple[int, int]:
    news = news_of(records(facts))
    return (news[-1].champion_started, news[-1].candidate_started) if news else (0, 0)


def test_sessions_begin_to_be_told_once_their_node_has_the_candidate() -> None:
    facts: list[Fact] = [
        measured("ran-already", 0),
        measured("ran-already", 1, "candidate"),
        *(measured(f"champion-{number}", 0) for number in range(3)),
        *(measured(f"candidate-{number}", 0, "candidate") for number in range(2)),
    ]
    assert begun(facts) == (3, 2)


def test_a_node_without_the_candidate_tells_of_no_session() -> None:
    slow = NodeId("gate-2")
    facts: list[Fact] = [
        measured("first", 0, "candidate"),
        *(measured(f"slow-{number}", 0, node_id=slow) for number in range(9)),
        measured("second", 0),
    ]
    assert begun(facts) == (1, 0)


def test_a_session_that_moves_over_has_begun_where_it_began() -> None:
    facts: list[Fact] = [
        measured("first", 0, "candidate"),
        measured("moves", 0),
        measured("moves", 1, "candidate"),
    ]
    assert begun(facts) == (1, 0)


def test_without_a_champion_the_candidate_is_measured_alone() -> None:
    alone = replace(TRIAL, champion=None)
    log = records([*frames("a", 3, version=CHAMPION), *frames("b", 3, "candidate")])
    (news,) = news_of(log, trial=alone)
    assert [value.session_id for value in news.sessions] == ["b"]


def test_sessions_with_the_longest_names_come_in_facts_that_a_broker_takes() -> None:
    names = [f"{number:04}" + "客" * (LONGEST_ID - 4) for number in range(240)]
    node = NodeId("節" * LONGEST_ID)
    log = records([fact for name in names for fact in frames(name, 3, node_id=node)])

    facts = news_of(log)

    assert [value.session_id for fact in facts for value in fact.sessions] == names
    assert max(len(encode_datum(fact)) for fact in facts) < 600_000
