"""What a person writes into a file of rules, and what is said when it is wrong."""

import pytest

from modeltrail.schemas.events import (
    Direction,
    DriftPolicySet,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
)
from modeltrail.schemas.rules_file import RulesFileInvalid, parse_rules
from modeltrail.schemas.rules_text import rules_text

FILE = """
"*":
  rules:
    - {name: SILENT, statistic: NO_DATA, window: 1m}
centerface:
  latency_threshold: 50
  accuracy_threshold: 0.9
  rules:
    - name: DROPPED_FRAMES
      metric: dropped_frames
      statistic: share
      window: 1m
      above: 0.05
      resolve_threshold: 0.03
      for_s: 30
      minimum_samples: 100
      severity: critical
      environment: production
    - {name: SLOW, metric: latency_ms, statistic: VALUE, direction: ABOVE, threshold: 1e3}
  drift: {window: 5m, persistence: 2, features: [luma_mean], enabled: false}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RulesFileInvalid) as caught:
        parse_rules(text)
    return str(caught.value).splitlines()


def one_rule(**fields: object) -> str:
    known = {"name": "R", "metric": "m", "statistic": "MEAN", "window": "1m", "above": 1} | fields
    said = ", ".join(f"{name}: {value}" for name, value in known.items() if value is not None)
    return f"centerface:\n  rules:\n    - {{{said}}}\n"


def test_a_file_sets_rules_and_policies_model_by_model() -> None:
    defaults, own, policy = parse_rules(FILE)

    assert isinstance(defaults, ThresholdsSet)
    assert isinstance(own, ThresholdsSet)
    assert isinstance(policy, DriftPolicySet)
    assert [rule.name for rule in defaults.rules] == ["SILENT"]
    assert [rule.name for rule in own.rules] == [
        "HIGH_LATENCY",
        "LOW_ACCURACY",
        "DROPPED_FRAMES",
        "SLOW",
    ]
    assert own.rules[2] == ThresholdRule(
        name="DROPPED_FRAMES",
        metric="dropped_frames",
        statistic=Statistic.SHARE,
        window="1m",
        direction=Direction.ABOVE,
        threshold=0.05,
        severity=Severity.CRITICAL,
        resolve_threshold=0.03,
        for_s=30.0,
        minimum_samples=100,
        environment="production",
    )
    assert (policy.window, policy.persistence, policy.enabled) == ("5m", 2, False)
    assert policy.features == ("luma_mean",)
    assert policy.severity is Severity.WARNING


def test_the_short_forms_are_rules() -> None:
    (fact,) = parse_rules("m: {latency_threshold: 50, accuracy_threshold: 0.9}")

    assert isinstance(fact, ThresholdsSet)
    latency, accuracy = fact.rules
    assert latency == ThresholdRule(
        name="HIGH_LATENCY",
        metric="latency_ms",
        statistic=Statistic.P95,
        window="10s",
        direction=Direction.ABOVE,
        threshold=50.0,
        severity=Severity.WARNING,
    )
    assert accuracy == ThresholdRule(
        name="LOW_ACCURACY",
        metric="accuracy",
        statistic=Statistic.MEAN,
        window="1m",
        direction=Direction.BELOW,
        threshold=0.9,
        severity=Severity.WARNING,
    )


def test_the_groups_of_a_metric_are_compared_by_a_rule_on_its_name() -> None:
    (fact,) = parse_rules(
        "m:\n  rules:\n    - {name: UNFAIR_MISSES, metric: missed, statistic: PARITY_RATIO, "
        "window: 5m, below: 0.8, minimum_samples: 100, severity: CRITICAL}\n"
    )

    assert isinstance(fact, ThresholdsSet)
    assert fact.rules == (
        ThresholdRule(
            name="UNFAIR_MISSES",
            metric="missed",
            statistic=Statistic.PARITY_RATIO,
            window="5m",
            direction=Direction.BELOW,
            threshold=0.8,
            severity=Severity.CRITICAL,
            minimum_samples=100,
        ),
    )
    assert parse_rules(rules_text([fact])) == (fact,)


def test_no_rules_of_a_model_are_a_set_as_well() -> None:
    (fact,) = parse_rules("m: {rules: []}")

    assert isinstance(fact, ThresholdsSet)
    assert fact.rules == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            one_rule(metric=None, metrik="m"),
            "line 3: centerface.rules[1]: unknown field 'metrik': did you mean metric?",
        ),
        (
            one_rule(statistic="P96"),
            "line 3: centerface.rules[1].statistic: is 'P96': did you mean P99?",
        ),
        (
            one_rule(severity="dire"),
            "line 3: centerface.rules[1].severity: is 'dire': use one of INFO, WARNING, CRITICAL",
        ),
        (
            one_rule(window="10m"),
            "line 3: centerface.rules[1]: R: window '10m' is not known: did you mean 1m?",
        ),
        (
            one_rule(above=None),
            "line 3: centerface.rules[1]: direction, threshold missing: `above: 50` gives",
        ),
        (one_rule(name=None), "line 3: centerface.rules[1]: name missing"),
        (
            one_rule(threshold=3),
            "line 3: centerface.rules[1]: above says direction and threshold: leave those out",
        ),
        (
            one_rule(below=3),
            "line 3: centerface.rules[1]: below says direction and threshold: leave those out",
        ),
        (one_rule(above="fast"), "line 3: centerface.rules[1].above: is 'fast': give a number"),
        (one_rule(above="true"), "line 3: centerface.rules[1].above: is True: give a number"),
        (
            one_rule(above="[1]"),
            "line 3: centerface.rules[1].above: is not a single value: give a number",
        ),
        (
            one_rule(minimum_samples=1.5),
            "line 3: centerface.rules[1].minimum_samples: is 1.5: give a whole number",
        ),
        (
            one_rule(name=5),
            "line 3: centerface.rules[1].name: is 5: give text, in quotes if",
        ),
        (
            one_rule(statistic="parity_difference", metric="m@a"),
            "line 3: centerface.rules[1]: R: metric 'm@a' names a group",
        ),
        ("m:\n  rules: 5", "line 2: m.rules: must be a list"),
        ("m:\n  rules: [5]", "line 2: m.rules[1]: must be a mapping of name, metric"),
        (
            "m:\n  latency_treshold: 5",
            "line 2: m: unknown field 'latency_treshold': did you mean latency_threshold?",
        ),
        ("m:\n  latency_threshold: fast", "line 2: m.latency_threshold: is 'fast': give a number"),
        (
            "m:\n  latency_threshold: .nan",
            "line 2: m.latency_threshold: HIGH_LATENCY: threshold is nan",
        ),
        ("m:\n  drift: {window: 2m}", "line 2: m: window: window '2m' is none of drift"),
        (
            "m:\n  drift: {enabled: maybe}",
            "line 2: m.drift.enabled: is 'maybe': give true or false",
        ),
        ("m: {rules: []}\nm: {rules: []}", "line 2: 'm' is there twice: keep one"),
        ("- m", "line 1: must be a mapping"),
        ("a: [", "not YAML: line 1"),
        ("*: {rules: []}", 'write "*" in quotes'),
        ("", "no rules: begin with a model id"),
        ("m: {}", "no rules: begin with a model id"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    (problem,) = problems(text)

    assert told in problem


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = "m:\n  rules:\n  - {name: A}\n  - {name: B, metric: m, statistic: MEEN}\n  drift: 3\n"

    assert [problem.partition(":")[0] for problem in problems(text)] == [
        "line 3",
        "line 4",
        "line 5",
    ]


def test_rules_of_the_same_name_are_refused() -> None:
    rule = "{name: R, metric: m, statistic: MEAN, window: 1m, above: 1}"

    (problem,) = problems(f"m:\n  rules: [{rule}, {rule}]")

    assert problem == "line 2: m: R: 2 rules have this name: give each one of its own"


def test_aliases_of_yaml_can_be_used_and_do_not_grow() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )

    assert len(problems(bomb)) == 9


def test_what_is_written_is_read_as_the_same() -> None:
    drafts = parse_rules(FILE)

    assert parse_rules(rules_text(drafts)) == drafts
