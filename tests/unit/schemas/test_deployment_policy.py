"""Policies as people write them: defaults, canonical JSON, and what is told when they are wrong."""

import json

import pytest

from modeltrail.schemas.deployment_policy import (
    DeploymentPolicy,
    PolicyInvalid,
    performance_settings,
    policy_from_yaml,
    policy_json,
    policy_of,
    settings_json,
    share_of_percent,
    validation_settings,
)

WHOLE = """
validation: {providers: [CPUExecutionProvider], shapes: {input: [1, 3, 480, 640]}}
performance: {statistic: p95, runs: 200, batch_sizes: [1, 4], max_latency_ms: 50}
data_quality: {features: [luma_mean]}
ethics: {maximum_bias_risk: low}
ab_test:
  share_percent: 20
  goal: better
  guardrails:
    - {metric: faces_unmasked, direction: LOWER, margin: 0.1}
production: {shares_percent: [0.5, 25, 100], hold_s: 300, alias: champion, rollback_on: warning}
"""


def test_an_empty_policy_has_every_default() -> None:
    assert policy_from_yaml("") == policy_from_yaml("# nothing\n") == DeploymentPolicy()
    assert policy_from_yaml("ab_test: {}").ab_test is not None


def test_a_policy_survives_its_canonical_form() -> None:
    policy = policy_from_yaml(WHOLE)
    text = policy_json(policy)
    assert policy_of(text) == policy
    assert policy_json(policy_of(text)) == text
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_sections_are_read_back_from_the_settings_of_a_request() -> None:
    policy = policy_from_yaml(WHOLE)
    assert validation_settings(settings_json(policy.validation)) == policy.validation
    assert performance_settings(settings_json(policy.performance)) == policy.performance


def test_shares_are_counted_in_ten_thousandths() -> None:
    assert [share_of_percent(each) for each in (0.01, 0.5, 25, 100)] == [1, 50, 2500, 10_000]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("production: {hold: 3}", "line 1, column 14: production: unknown field 'hold': did you"),
        ("performance:\n  runs: many", "line 2, column 9: performance.runs: is 'many': give a who"),
        ("performance: {runs: 1}", "performance.runs: is 1: give 20 to 10000"),
        ("performance: {statistic: p95}", "too few for P95: give 100 or more"),
        ("performance: {confidence: 1}", "give a number between 0.5 and 1, without these"),
        ("production: {shares_percent: [50, 25, 100]}", "must rise"),
        ("production: {shares_percent: [5]}", "must end with 100"),
        ("production: {hold_s: 10, deadline_s: 5}", "over before hold_s"),
        ("production: {alias: v1.0.0}", "written like a version"),
        ("production: {rollback_on: LOUD}", "use one of INFO, WARNING, CRITICAL"),
        ("ab_test: {share_percent: 100}", "leaves nothing to compare with"),
        ("ab_test: {minimum_sessions: 9, maximum_sessions: 5}", "give 9 or more"),
        ("ab_test: {guardrails: [{margin: 1}]}", "metric missing"),
        ("ab_test: {guardrails: [{metric: a}, {metric: a}]}", "name a metric twice"),
        ("validation: {golden_uri: x}", "belong together"),
        ("validation: {require_golden: true}", "needs a file"),
        ("validation: {golden_sha256: abc, golden_uri: x}", "64 hex digits"),
        ("staging: null", "must be a mapping of environment"),
        ("staging: {environment: ''}", "environment is empty"),
        ("[", "not YAML: line 1"),
        ("{" * 2000, "nested too deeply"),
        ("just words", "must be a mapping of validation"),
        ("performance: {max_latency_ratio: .nan}", "is nan: give 0 to 1000"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_the_next_step(text: str, told: str) -> None:
    with pytest.raises(PolicyInvalid) as error:
        policy_from_yaml(text)
    assert told in str(error.value)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(PolicyInvalid) as error:
        policy_from_yaml("production: {hold_s: -1, watch_s: x}\nethics: {minimum_transparency: 2}")
    assert len(str(error.value).splitlines()) == 3
