"""Gates judge evidence by a policy: what passes, what does not, and what it is judged on."""

from typing import Any

import numpy as np
import pytest

from modeltrail.processors.deployments.judging import judge
from modeltrail.schemas.deployment_policy import DeploymentPolicy, policy_from_yaml
from modeltrail.schemas.events import DeploymentStep, StepVerdict

DEFAULT = DeploymentPolicy()
DAY_US = 86_400_000_000


def benchmark(ratio: float, runs: int = 60, noise: float = 0.05, baseline: bool = True) -> Any:
    """Latencies of 30 ms with noise; the candidate takes `ratio` times as long."""
    chance = np.random.default_rng(7)
    base = 30 * (1 + noise * chance.standard_normal(runs))
    mine = 30 * ratio * (1 + noise * chance.standard_normal(runs))
    batch = {
        "batch_size": 1,
        "candidate_ms": mine.tolist(),
        "baseline_ms": base.tolist() if baseline else [],
    }
    return {"failure": "", "batches": [batch], "deployment_id": "ab"}


def check(name: str, outcome: str = "PASSED", detail: str = "") -> dict[str, str]:
    return {"name": name, "outcome": outcome, "detail": detail}


def verdict(step: DeploymentStep, evidence: Any, policy: DeploymentPolicy = DEFAULT) -> StepVerdict:
    judgement = judge(step, evidence, policy)
    assert judgement.reason
    return judgement.verdict


@pytest.mark.parametrize(
    ("ratio", "runs", "expected"),
    [
        (1.0, 60, StepVerdict.PASSED),
        (1.3, 60, StepVerdict.FAILED),
        (1.1, 60, StepVerdict.INCONCLUSIVE),
        (1.05, 3, StepVerdict.INCONCLUSIVE),
    ],
)
def test_the_ratio_of_latencies_is_judged_by_its_interval(
    ratio: float, runs: int, expected: StepVerdict
) -> None:
    judgement = judge(DeploymentStep.PERFORMANCE, benchmark(ratio, runs), DEFAULT)
    assert judgement.verdict is expected
    if expected is StepVerdict.INCONCLUSIVE:
        assert "more runs" in judgement.reason


def test_a_benchmark_is_judged_the_same_every_time() -> None:
    evidence = benchmark(1.05)
    assert judge(DeploymentStep.PERFORMANCE, evidence, DEFAULT) == judge(
        DeploymentStep.PERFORMANCE, evidence, DEFAULT
    )


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(1)
    held = 0
    for number in range(200):
        base, mine = (30 * np.exp(0.1 * chance.standard_normal(60)) for _ in range(2))
        batch = {"batch_size": 1, "candidate_ms": mine.tolist(), "baseline_ms": base.tolist()}
        evidence = {"batches": [batch], "deployment_id": str(number)}
        judged: Any = judge(DeploymentStep.PERFORMANCE, evidence, DEFAULT).judged
        ratio = judged["batches"][0]["ratio"]
        held += ratio["low"] <= 1.0 <= ratio["high"]
    assert 0.91 <= held / 200 <= 0.99


def test_without_a_baseline_only_the_limit_in_ms_is_judged() -> None:
    evidence = benchmark(1.3, baseline=False)
    assert verdict(DeploymentStep.PERFORMANCE, evidence) is StepVerdict.PASSED
    tight = policy_from_yaml("performance: {max_latency_ms: 35}")
    assert verdict(DeploymentStep.PERFORMANCE, evidence, tight) is StepVerdict.FAILED


def test_the_worst_batch_size_and_the_memory_decide() -> None:
    evidence = benchmark(1.0)
    evidence["batches"] += benchmark(1.5)["batches"]
    assert verdict(DeploymentStep.PERFORMANCE, evidence) is StepVerdict.FAILED
    heavy = {**benchmark(1.0), "peak_memory_mb": {"candidate": 300.0, "baseline": 100.0}}
    strict = policy_from_yaml("performance: {max_memory_ratio: 2}")
    assert verdict(DeploymentStep.PERFORMANCE, heavy) is StepVerdict.PASSED
    assert verdict(DeploymentStep.PERFORMANCE, heavy, strict) is StepVerdict.FAILED
    assert verdict(DeploymentStep.PERFORMANCE, benchmark(1.0), strict) is StepVerdict.INCONCLUSIVE
    alone = benchmark(1.0, baseline=False)
    assert verdict(DeploymentStep.PERFORMANCE, alone, strict) is StepVerdict.PASSED


def test_every_check_must_pass_and_golden_outputs_where_they_are_needed() -> None:
    step = DeploymentStep.VALIDATION
    good = {"checks": [check("sha256"), check("golden", "SKIPPED")]}
    assert verdict(step, good) is StepVerdict.PASSED
    assert verdict(step, {"checks": [check("sha256"), check("loads", "FAILED")]}) is (
        StepVerdict.FAILED
    )
    assert verdict(step, {"checks": []}) is StepVerdict.FAILED
    digest = "0" * 64
    needed = policy_from_yaml(
        f"validation: {{require_golden: true, golden_uri: x, golden_sha256: '{digest}'}}"
    )
    assert verdict(step, good, needed) is StepVerdict.FAILED


def test_a_reference_profile_must_be_large_complete_and_new() -> None:
    step = DeploymentStep.DATA_QUALITY
    profile = {"rows": 500, "features": ["luma_mean"], "at_us": 0}
    evidence = {"profile": profile, "as_of_us": 10 * DAY_US}
    for text, expected in (
        ("data_quality: {}", StepVerdict.PASSED),
        ("data_quality: {minimum_rows: 501}", StepVerdict.FAILED),
        ("data_quality: {features: [luma_std]}", StepVerdict.FAILED),
        ("data_quality: {maximum_age_days: 9}", StepVerdict.FAILED),
        ("data_quality: {maximum_age_days: 11}", StepVerdict.PASSED),
        ("", StepVerdict.SKIPPED),
    ):
        assert verdict(step, evidence, policy_from_yaml(text)) is expected, text
    assert verdict(step, {"profile": None}, policy_from_yaml("data_quality: {}")) is (
        StepVerdict.FAILED
    )


def test_an_assessment_must_keep_every_limit_and_what_was_not_judged_does_not_pass() -> None:
    step = DeploymentStep.ETHICS
    found = {"bias_risk": "LOW", "privacy_risk": "MEDIUM", "transparency_score": 0.5, "at_us": 0}
    evidence = {"assessment": found, "as_of_us": DAY_US}
    for text, expected in (
        ("ethics: {}", StepVerdict.PASSED),
        ("ethics: {maximum_privacy_risk: LOW}", StepVerdict.FAILED),
        ("ethics: {minimum_transparency: 0.6}", StepVerdict.FAILED),
        ("ethics: {maximum_age_days: 0.5}", StepVerdict.FAILED),
        ("", StepVerdict.SKIPPED),
    ):
        assert verdict(step, evidence, policy_from_yaml(text)) is expected, text
    unjudged = {"assessment": {**found, "bias_risk": "NOT_JUDGED"}}
    assert verdict(step, unjudged, policy_from_yaml("ethics: {}")) is StepVerdict.FAILED
    assert verdict(step, {"assessment": None}, policy_from_yaml("ethics: {}")) is (
        StepVerdict.FAILED
    )


def test_all_live_nodes_must_verify_a_version_and_enough_of_them() -> None:
    step = DeploymentStep.STAGING
    two = {"nodes": [{"node_id": "a"}, {"node_id": "b"}], "missing": [], "failing": []}
    none: dict[str, Any] = {"nodes": [], "missing": [], "failing": []}
    needs_three = policy_from_yaml("staging: {minimum_nodes: 3}")
    assert verdict(step, two) is StepVerdict.PASSED
    assert verdict(step, two, needs_three) is StepVerdict.FAILED
    assert verdict(step, none) is StepVerdict.SKIPPED
    assert verdict(step, {**two, "missing": ["c"]}) is StepVerdict.FAILED
    assert verdict(step, {**two, "missing": ["c"], "failing": ["c"]}) is StepVerdict.FAILED


@pytest.mark.parametrize("step", [each for each in DeploymentStep if each.value != "UNKNOWN"])
@pytest.mark.parametrize(
    "evidence",
    [
        {"checks": 3, "batches": {}, "nodes": None, "trial": [], "profile": 1, "assessment": 2},
        {"batches": [{"batch_size": 1, "candidate_ms": ["x"], "baseline_ms": []}]},
        {"batches": [{"batch_size": 1, "candidate_ms": [1.0, 0.0], "baseline_ms": []}]},
        {"batches": [{"batch_size": 1, "candidate_ms": [1.0, 2.0], "baseline_ms": [1.0]}]},
        {"unanswered": "nobody answered"},
    ],
)
def test_evidence_that_cannot_be_read_lets_nothing_through(
    step: DeploymentStep, evidence: Any
) -> None:
    policy = policy_from_yaml("data_quality: {}\nethics: {}\nab_test: {}")
    assert verdict(step, evidence, policy) is StepVerdict.FAILED


def test_a_step_that_is_not_known_is_not_judged() -> None:
    assert verdict(DeploymentStep.UNKNOWN, {}) is StepVerdict.UNKNOWN
