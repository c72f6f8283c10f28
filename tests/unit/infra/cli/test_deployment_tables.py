"""What people read of deployments: lines as they happen, tables afterwards, and verdicts anew."""

import json
from dataclasses import replace
from typing import Any

import pytest

from modeltrail.infra.cli.deployment_lines import line_of, lines_until_end
from modeltrail.infra.cli.deployment_tables import (
    as_json,
    evidence_rows,
    list_row,
    rejudged_rows,
    step_row,
)
from modeltrail.producers.deployments import DeploymentsView, DeploymentView
from modeltrail.schemas.deployment_policy import (
    DeploymentPolicy,
    PerformancePolicy,
    policy_from_yaml,
    policy_json,
)
from modeltrail.schemas.events import (
    DeploymentCancelled,
    DeploymentFailed,
    DeploymentRequested,
    DeploymentRequestRefused,
    DeploymentRolledBack,
    DeploymentStep,
    DeploymentSucceeded,
    Fact,
    StepCompleted,
    StepStarted,
    StepVerdict,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import EventId

ID = EventId(bytes.fromhex("abcdef01" + "00" * 12))


def made(kind: type[Fact], **values: Any) -> Any:
    return replace(example_fact(kind), **values)


def benchmark(candidate_ms: float, baseline_ms: float) -> str:
    wobble = [0.01 * (each % 5) for each in range(60)]
    batch = {
        "batch_size": 1,
        "shapes": {},
        "candidate_ms": [candidate_ms + each for each in wobble],
        "baseline_ms": [baseline_ms + each for each in wobble],
        "throughput_per_s": {"candidate": 1000 / candidate_ms, "baseline": 1000 / baseline_ms},
    }
    memory = {"candidate": 100.0, "baseline": 100.0}
    evidence = {"batches": [batch], "peak_memory_mb": memory, "warmup": 5, "environment": {}}
    return json.dumps({**evidence, "failure": ""})


@pytest.fixture
def failed() -> DeploymentView:
    """A deployment that the performance gate ended: 30 % slower where 10 % were let through."""
    view = DeploymentsView()
    about = {"deployment_id": ID, "step": DeploymentStep.PERFORMANCE, "number": 0}
    view.absorb(made(DeploymentRequested, event_id=ID, policy_json=policy_json(DeploymentPolicy())))
    view.absorb(made(StepStarted, **about, share=-1))
    view.absorb(
        made(
            StepCompleted,
            **about,
            verdict=StepVerdict.FAILED,
            reason="p50 is 1.3 times that of production",
            evidence_json=benchmark(13.0, 10.0),
        )
    )
    view.absorb(made(DeploymentFailed, deployment_id=ID, step=DeploymentStep.PERFORMANCE))
    return view.find("abcdef01")


def test_a_deployment_is_a_row_with_its_standing_and_last_step(failed: DeploymentView) -> None:
    row = list_row(failed)
    assert row[0] == "abcdef01"
    assert row[4:6] == ("FAILED", "PERFORMANCE")


def test_a_step_tells_its_verdict_and_why(failed: DeploymentView) -> None:
    assert step_row(failed.steps[0])[:3] == ("PERFORMANCE", "", "FAILED")


def test_evidence_is_told_by_its_path_and_long_lists_are_cut(failed: DeploymentView) -> None:
    rows = {path: value for _, path, value in evidence_rows(failed)}
    assert rows["batches[0].batch_size"] == "1"
    assert rows["batches[0].candidate_ms"].startswith("13, 13.01, ")
    assert rows["batches[0].candidate_ms"].endswith("(60 values)")


def test_the_same_evidence_passes_a_policy_that_lets_more_through(failed: DeploymentView) -> None:
    # Given the policy of then and one that lets half as much again through
    lenient = DeploymentPolicy(performance=PerformancePolicy(max_latency_ratio=1.5))

    # When the evidence is judged again by each
    same = rejudged_rows(failed, DeploymentPolicy())[0]
    other = rejudged_rows(failed, lenient)[0]

    # Then the first verdict stands, and the other differs
    assert same[1:3] == ("FAILED", "FAILED")
    assert other[1:3] == ("FAILED", "PASSED")
    assert "1.29" in other[3] or "1.3" in other[3]


def test_what_another_policy_asks_for_beyond_the_evidence_is_told(failed: DeploymentView) -> None:
    # Given a policy with a gate that the deployment never went through
    stricter = policy_from_yaml("ethics: {}")
    # When its evidence is judged again, then that gate is not passed over in silence
    rows = {row[0]: row for row in rejudged_rows(failed, stricter)}
    assert rows["ETHICS"][1:3] == ("", "")
    assert "did not take place" in rows["ETHICS"][3]
    assert "DATA_QUALITY" not in rows


def test_a_step_that_was_interrupted_stays_so_under_any_policy() -> None:
    view = DeploymentsView()
    about = {"deployment_id": ID, "step": DeploymentStep.STAGING, "number": 0}
    view.absorb(made(DeploymentRequested, event_id=ID, policy_json=policy_json(DeploymentPolicy())))
    view.absorb(made(StepStarted, **about))
    ended = {"verdict": StepVerdict.ABORTED, "reason": "a cancel was asked for"}
    view.absorb(made(StepCompleted, **about, **ended, evidence_json='{"judged":{}}'))
    row = rejudged_rows(view.find("abcdef01"), DeploymentPolicy())[0]
    assert row == ("STAGING", "ABORTED", "ABORTED", "a cancel was asked for")


def test_json_holds_policy_and_evidence_as_objects(failed: DeploymentView) -> None:
    told = json.loads(json.dumps(as_json(failed)))
    assert told["policy"]["performance"]["max_latency_ratio"] == 1.1
    assert told["steps"][0]["evidence"]["batches"][0]["batch_size"] == 1


def test_following_ends_with_the_fact_that_ends_the_deployment() -> None:
    # Given facts of a deployment, pauses, and one that comes afterwards
    facts = [
        made(DeploymentRequested),
        None,
        made(StepStarted, step=DeploymentStep.AB_TEST, share=5000),
        made(DeploymentSucceeded),
        made(StepStarted),
    ]

    # When they are followed
    told = [(str(line), fact) for line, fact in lines_until_end(facts)]

    # Then each is a line, up to the end
    assert len(told) == 3
    assert "ab test" in told[1][0]
    assert "50 % of sessions" in told[1][0]
    assert isinstance(told[-1][1], DeploymentSucceeded)


def test_a_rollback_is_followed_past_the_deployment_that_it_cancels() -> None:
    facts = [made(DeploymentCancelled, cancelled_by=""), made(DeploymentRolledBack), None]
    ends = (DeploymentRolledBack, DeploymentRequestRefused)
    told = [(str(line), fact) for line, fact in lines_until_end(facts, ends)]
    assert [type(fact) for _, fact in told] == [DeploymentCancelled, DeploymentRolledBack]
    assert " by " not in told[0][0]


def test_facts_for_workers_are_no_lines_for_people() -> None:
    from modeltrail.schemas.events import ModelValidated

    assert line_of(made(ModelValidated)) is None
