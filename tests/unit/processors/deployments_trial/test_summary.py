"""The summary keeps each session once, the earliest ones, and can be written and read again."""

import json
import math
from dataclasses import replace

import pytest

from modeltrail.processors.deployments.evidence import EvidenceUnreadable, evidence_json
from modeltrail.processors.deployments.trial.confidence_sequence import Values, interval_of
from modeltrail.processors.deployments.trial.summary import (
    MOST_SESSIONS,
    Sessions,
    TrialSummary,
    most_pairs,
    summary_of,
)
from tests.unit.processors.deployments_trial.trial_facts import measured, session


def test_a_fact_that_comes_twice_counts_once() -> None:
    fact = measured([session(1, "champion", 10.0)], begun=(3, 2))
    once = TrialSummary().absorb(fact)
    assert once.absorb(fact) == once
    assert once.sessions_begun() == Sessions(3, 2)


def test_a_session_in_both_arms_counts_in_each() -> None:
    facts = [session(1, "champion", 10.0, name="s"), session(2, "candidate", 12.0, name="s")]
    summary = TrialSummary().absorb(measured(facts))
    assert summary.counted() == Sessions(1, 1)


def test_of_a_session_from_two_nodes_the_earlier_value_counts() -> None:
    late = measured([session(1, "champion", 10.0, at_us=9, name="s")])
    early = measured([session(1, "champion", 20.0, at_us=5, name="s")], partition=1)
    for facts in ([late, early], [early, late]):
        summary = TrialSummary()
        for fact in facts:
            summary = summary.absorb(fact)
        assert [each.means for each in summary.champion] == [(20.0,)]


@pytest.mark.parametrize("diverged", [1e154, 1.7e308, -1.7e308])
def test_a_session_that_diverged_stays_in_its_trial_and_the_trial_can_be_judged(
    diverged: float,
) -> None:
    facts = [session(number, "champion", 10.0 + number) for number in range(6)]
    facts += [session(number, "candidate", 10.5 + number) for number in range(5)]
    facts.append(session(5, "candidate", diverged))
    summary = TrialSummary().absorb(measured(facts))

    interval = interval_of([Values(*pair) for pair in values_of(summary)], 1.0, 1, 0.05)

    assert len(summary.pairs()) == 6
    assert math.isfinite(interval.estimate)
    assert abs(interval.estimate) > 1e9
    assert summary_of(json.loads(evidence_json(summary.evidence()))).pairs() == summary.pairs()


def values_of(summary: TrialSummary) -> list[tuple[float, float]]:
    return [
        (mine, other)
        for champion, candidate in summary.pairs()
        if (mine := champion.means[0]) is not None and (other := candidate.means[0]) is not None
    ]


def test_the_newest_count_of_each_partition_is_added_up() -> None:
    summary = TrialSummary()
    for fact in (
        measured([], begun=(5, 4), through=90),
        measured([], begun=(2, 1), through=40),
        measured([], begun=(7, 7), through=10, partition=1),
    ):
        summary = summary.absorb(fact)
    assert summary.sessions_begun() == Sessions(12, 11)


def test_a_session_without_a_metric_counts_for_the_others() -> None:
    metrics = ("latency_ms", "faces_unmasked")
    sessions = [session(1, "champion", 10.0, None), session(2, "candidate", 11.0, 0.5)]
    summary = TrialSummary().absorb(measured(sessions, metrics=metrics))
    ((champion, candidate),) = summary.pairs()
    assert (champion.means, candidate.means) == ((10.0, None), (11.0, 0.5))


def test_what_is_no_number_is_no_value() -> None:
    summary = TrialSummary().absorb(measured([session(1, "champion", float("inf"))]))
    assert [each.means for each in summary.champion] == [(None,)]


def test_values_are_taken_by_the_name_of_their_metric() -> None:
    first = measured([session(1, "champion", 10.0, 0.5)], metrics=("latency_ms", "faces"))
    other = measured([session(2, "champion", 0.7, 12.0)], metrics=("faces", "latency_ms"))
    summary = TrialSummary().absorb(first).absorb(replace(other, through_offset=5))
    assert [each.means for each in summary.champion] == [(10.0, 0.5), (12.0, 0.7)]


def test_the_earliest_sessions_of_both_arms_are_kept() -> None:
    half = MOST_SESSIONS // 2
    late = [session(2 * n, "champion", 1.0) for n in range(100, half + 100)]
    early = [session(2 * n + 1, "candidate", 1.0) for n in range(half)]
    sooner = [session(2 * n, "champion", 1.0) for n in range(100)]
    summary = TrialSummary().absorb(measured(late))
    for part in (early, sooner):
        summary = summary.absorb(measured(part))
    assert [each.at_us for each in summary.champion] == list(range(0, MOST_SESSIONS, 2))
    assert [each.at_us for each in summary.candidate] == list(range(1, MOST_SESSIONS, 2))


@pytest.mark.parametrize("metrics", [1, 3, 10, 17])
def test_evidence_of_the_largest_trial_fits_into_a_message(metrics: int) -> None:
    means = tuple(1e6 + number / 7 for number in range(metrics))
    names = [f"metric_{number}" for number in range(metrics)]
    pairs = most_pairs(metrics) + 10
    sessions = [
        session(1_767_225_600_000_000 + number, arm, *means)
        for number in range(pairs)
        for arm in ("champion", "candidate")
    ]
    summary = TrialSummary().absorb(measured(sessions, metrics=names))
    assert len(evidence_json(summary.evidence())) < 700_000
    assert summary.counted() == Sessions(pairs, pairs)
    assert summary_of(summary.evidence()).counted() == Sessions(pairs, pairs)


def test_evidence_is_read_again_as_it_was() -> None:
    metrics = ("latency_ms", "faces_unmasked")
    sessions = [session(1, "champion", 10.0, None), session(2, "candidate", 1 / 3, 0.5)]
    summary = TrialSummary().absorb(measured(sessions, metrics=metrics, begun=(4, 5)))
    assert summary_of(json.loads(evidence_json(summary.evidence()))) == summary
    assert summary_of(None) == TrialSummary()


def test_evidence_counts_sessions_that_are_in_no_pair() -> None:
    sessions = [session(n, "champion", 1.0) for n in range(50)]
    sessions += [session(n, "candidate", 1.0) for n in (10, 20)]
    summary = TrialSummary().absorb(measured(sessions))
    read = summary_of(summary.evidence())
    assert len(summary.evidence()["pairs"]) == 2  # type: ignore[arg-type]
    assert read.counted() == Sessions(50, 2)
    assert (read.pairs(), read.evidence()) == (summary.pairs(), summary.evidence())


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"metrics": ["a"], "pairs": [[[1, "s", []]] * 2], "counted": [1, 1], "begun": []},
        {"metrics": [], "pairs": [[[1, "s", []]]], "counted": [1, 1], "begun": []},
        {"metrics": [], "pairs": {}, "counted": [], "begun": []},
        {"metrics": [], "pairs": [], "counted": [0, 0], "begun": [[1]]},
    ],
)
def test_evidence_that_is_none_says_so(broken: dict[str, object]) -> None:
    with pytest.raises(EvidenceUnreadable):
        summary_of(broken)
