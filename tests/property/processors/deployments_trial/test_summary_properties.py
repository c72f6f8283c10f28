"""A summary is a set: facts in any order, in other portions and twice give the same bytes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.processors.deployments.evidence import evidence_json
from modeltrail.processors.deployments.gates.ab_test import decide_ab_test, judge_ab_test
from modeltrail.processors.deployments.trial.pairing import Counted, pairs_of
from modeltrail.processors.deployments.trial.summary import TrialSummary, summary_of
from modeltrail.schemas.deployment_policy import policy_from_yaml
from modeltrail.schemas.events import SessionsMeasured, SessionValue
from tests.unit.processors.deployments_trial.trial_facts import measured, session

POLICY = policy_from_yaml(
    "ab_test: {minimum_sessions: 2, alpha: 0.4, guardrails: [{metric: latency_ms}]}"
)
VALUES = st.one_of(st.none(), st.floats(0, 1e6))
SESSIONS = st.builds(
    lambda name, arm, at, value: session(0, arm, value, at_us=at, name=f"s{name}"),
    st.integers(0, 12),
    st.sampled_from(["champion", "candidate"]),
    st.integers(0, 20),
    VALUES,
)


@st.composite
def facts(draw: st.DrawFn) -> list[SessionsMeasured]:
    return [
        measured(
            draw(st.lists(SESSIONS, max_size=6)),
            begun=(through, through // 2),
            partition=draw(st.integers(0, 2)),
            through=through,
        )
        for through in range(draw(st.integers(0, 6)))
    ]


def summed_up(found: list[SessionsMeasured]) -> TrialSummary:
    summary = TrialSummary(("latency_ms",))
    for fact in found:
        summary = summary.absorb(fact)
    return summary


@given(facts(), st.data())
def test_facts_in_any_order_and_twice_give_the_same_bytes(
    found: list[SessionsMeasured], data: st.DataObject
) -> None:
    twice = [fact for fact in found if data.draw(st.booleans())]
    first, second = summed_up(found), summed_up(data.draw(st.permutations(found + twice)))
    assert evidence_json(first.evidence()) == evidence_json(second.evidence())
    assert decide_ab_test(first, POLICY, 1.0) == decide_ab_test(second, POLICY, 1.0)


@given(facts())
def test_evidence_gives_the_same_summary_and_judgement(found: list[SessionsMeasured]) -> None:
    summary = summed_up(found)
    evidence: dict[str, Any] = {"trial": summary.evidence(), "held_s": 1.0}
    assert summary_of(summary.evidence()).evidence() == summary.evidence()
    decided = decide_ab_test(summary, POLICY, 1.0)
    judged = judge_ab_test(evidence, POLICY)
    evidence_json(judged.judged)
    assert decided is None or decided == judged


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e6)), max_size=60), st.integers(0, 60))
def test_a_later_session_never_changes_a_pair(
    sessions: list[tuple[bool, float]], looks: int
) -> None:
    arms = [
        [
            Counted(at, f"s{at}", (value,))
            for at, (mine, value) in enumerate(sessions)
            if mine is arm
        ]
        for arm in (False, True)
    ]
    early = [[each for each in arm if each.at_us < looks] for arm in arms]
    every, some = pairs_of(*arms), pairs_of(*early)
    assert every[: len(some)] == some
    assert len(some) == min(map(len, early))


@given(st.lists(st.booleans(), max_size=60), st.data())
def test_pairs_are_the_same_without_sessions_that_are_in_none(
    arms: list[bool], data: st.DataObject
) -> None:
    champion = [Counted(at, "s", ()) for at, mine in enumerate(arms) if mine]
    candidate = [Counted(at, "s", ()) for at, mine in enumerate(arms) if not mine]
    pairs = pairs_of(champion, candidate)
    paired = {session for pair in pairs for session in pair}
    kept = [
        [each for each in arm if each in paired or data.draw(st.booleans())]
        for arm in (champion, candidate)
    ]
    assert pairs_of(*kept) == pairs


def test_sessions_of_one_fact_may_come_in_any_order() -> None:
    sessions: list[SessionValue] = [session(n, "champion", n / 3) for n in range(50)]
    forwards, backwards = measured(sessions), measured(sessions[::-1])
    assert summed_up([forwards]) == summed_up([backwards])
