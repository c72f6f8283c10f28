"""Which rules may be set, and which hold for a model at a time."""

import math
from dataclasses import replace

import pytest

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    Direction,
    DriftPolicySet,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId
from modeltrail.schemas.rulebook import DEFAULT_POLICY, RuleBook, problem_of, problems_of

RULE = ThresholdRule(
    name="HIGH_LATENCY",
    metric="latency_ms",
    statistic=Statistic.P95,
    window="1m",
    direction=Direction.ABOVE,
    threshold=50.0,
    severity=Severity.WARNING,
)
VALUE = replace(RULE, statistic=Statistic.VALUE, window="")
SHARE = replace(RULE, statistic=Statistic.SHARE, metric="dropped_frames", threshold=0.05)
RATIO = replace(
    RULE,
    statistic=Statistic.PARITY_RATIO,
    metric="missed",
    direction=Direction.BELOW,
    threshold=0.8,
)
DIFFERENCE = replace(RULE, statistic=Statistic.PARITY_DIFFERENCE, metric="missed", threshold=0.1)
SILENCE = replace(RULE, statistic=Statistic.NO_DATA, metric="")


def thresholds(*rules: ThresholdRule, model: str = "m") -> ThresholdsSet:
    return ThresholdsSet(EventId(bytes(16)), Micros(0), ModelId(model), rules)


def policy(model: str = "m", psi: float = 0.2) -> DriftPolicySet:
    return replace(DEFAULT_POLICY, model_id=ModelId(model), psi_threshold=psi)


def at(ms: int, fact: ThresholdsSet | DriftPolicySet, offset: int | None = None) -> Appended:
    return Appended(0, ms if offset is None else offset, ms, fact)


@pytest.mark.parametrize(
    "rule",
    [
        RULE,
        VALUE,
        SHARE,
        SILENCE,
        replace(RULE, resolve_threshold=50.0),
        replace(RULE, direction=Direction.BELOW, resolve_threshold=60.0),
        replace(RULE, window="last_1000", minimum_samples=1000, for_s=86_400.0),
        replace(SHARE, metric="faces_unmasked"),
        replace(SHARE, metric="misses", share_of="tries", threshold=3.0),
        RATIO,
        replace(RATIO, window="last_1000", minimum_samples=100, resolve_threshold=1.0),
        replace(RATIO, threshold=1.0),
        DIFFERENCE,
        replace(DIFFERENCE, threshold=25.0, resolve_threshold=0.0),
        replace(RULE, metric="missed@a"),
        replace(SILENCE, metric="accuracy", direction=Direction.UNKNOWN, threshold=0.0),
    ],
)
def test_a_good_rule_has_no_problem(rule: ThresholdRule) -> None:
    assert problem_of(rule) is None


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (replace(RULE, name=""), "name is empty"),
        (replace(RULE, name="DRIFT"), "choose another"),
        (replace(RULE, name="CHANGE_POINT"), "choose another"),
        (replace(RULE, metric="a\nb"), "unprintable"),
        (replace(RULE, metric=""), "metric name is empty"),
        (replace(RULE, environment="\x00"), "unprintable"),
        (replace(RULE, statistic=Statistic.UNKNOWN), "use VALUE, MEAN"),
        (replace(RULE, statistic=Statistic.UNKNOWN), "PARITY_RATIO, PARITY_DIFFERENCE"),
        (replace(RULE, direction=Direction.UNKNOWN), "use ABOVE or BELOW"),
        (replace(RULE, severity=Severity.UNKNOWN), "use INFO, WARNING or CRITICAL"),
        (replace(RULE, window="10m"), "did you mean 1m?"),
        (replace(RULE, window=""), "use one of 10s, 1m, 5m, 1h, last_1000"),
        (replace(RULE, threshold=math.nan), "give a finite number"),
        (replace(RULE, threshold=math.inf), "give a finite number"),
        (replace(RULE, resolve_threshold=math.nan), "give a finite number, or leave it out"),
        (replace(RULE, resolve_threshold=50.1), "give 50 or less"),
        (replace(RULE, direction=Direction.BELOW, resolve_threshold=49.0), "give 50 or more"),
        (replace(RULE, for_s=-1.0), "from 0 to 86400"),
        (replace(RULE, for_s=math.nan), "from 0 to 86400"),
        (replace(RULE, for_s=86_401.0), "from 0 to 86400"),
        (replace(RULE, minimum_samples=0), "give 1 or more"),
        (replace(RULE, window="last_1000", minimum_samples=1001), "lower it"),
        (replace(RULE, share_of="faces"), "for SHARE only"),
        (replace(VALUE, window="10s"), "leave it out"),
        (replace(VALUE, for_s=10.0), "use MIN or MAX of a window"),
        (replace(VALUE, minimum_samples=2), "leave it out"),
        (replace(SHARE, metric="misses"), "name its metric in share_of"),
        (replace(SHARE, share_of="dropped_frames"), "name the metric of the whole"),
        (replace(SHARE, threshold=5.0), "for 5 % write 0.05"),
        (replace(SHARE, window="2m"), "is not known"),
        (replace(RATIO, window=""), "use one of 10s, 1m, 5m, 1h, last_1000"),
        (replace(RATIO, metric="missed@a"), "give what stands before @"),
        (replace(DIFFERENCE, metric="@"), "give what stands before @"),
        (replace(RATIO, metric=""), "metric name is empty"),
        (replace(RATIO, direction=Direction.ABOVE), "use below"),
        (replace(RATIO, direction=Direction.UNKNOWN), "use ABOVE or BELOW"),
        (replace(RATIO, threshold=0.0), "for four fifths write 0.8"),
        (replace(RATIO, threshold=80.0), "for four fifths write 0.8"),
        (replace(RATIO, threshold=math.nan), "give a finite number"),
        (replace(RATIO, resolve_threshold=1.1), "give 1 or less"),
        (replace(RATIO, share_of="faces"), "for SHARE only"),
        (replace(RATIO, minimum_samples=0), "give 1 or more"),
        (replace(DIFFERENCE, window="7s"), "is not known"),
        (replace(DIFFERENCE, direction=Direction.BELOW), "use above"),
        (replace(DIFFERENCE, threshold=-0.1), "give 0 or more"),
        (replace(DIFFERENCE, resolve_threshold=-0.1), "give 0 or more"),
        (replace(SILENCE, window="last_1000"), "use 10s, 1m, 5m or 1h"),
        (replace(SILENCE, window=""), "is not known"),
        (replace(SILENCE, resolve_threshold=1.0), "leave it out"),
        (replace(SILENCE, minimum_samples=5), "leave it out"),
        (replace(SILENCE, threshold=math.nan), "give 1"),
    ],
)
def test_a_bad_rule_is_told_what_to_do(rule: ThresholdRule, told: str) -> None:
    assert told in str(problem_of(rule))


def test_every_problem_of_a_set_is_told_with_its_rule() -> None:
    fact = thresholds(RULE, RULE, replace(RULE, name="OTHER", window="7s"), model="")

    assert [rule for rule, _ in problems_of(fact)] == ["", "HIGH_LATENCY", "OTHER"]


def test_a_model_has_a_hundred_rules_at_most() -> None:
    many = [replace(RULE, name=f"R{number}") for number in range(101)]

    assert problems_of(thresholds(*many[:100])) == ()
    assert "set fewer" in problems_of(thresholds(*many))[0][1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"severity": Severity.UNKNOWN}, "use INFO, WARNING or CRITICAL"),
        ({"window": "last_1000"}, "use 10s, 1m, 5m or 1h"),
        ({"window": "2m"}, "use 10s, 1m, 5m or 1h"),
        ({"psi_threshold": 0.0}, "more than 0"),
        ({"psi_threshold": math.nan}, "more than 0"),
        ({"false_discovery_rate": 1.0}, "between 0 and 1"),
        ({"minimum_effective_samples": 0}, "give 1 or more"),
        ({"persistence": 0}, "give 1 or more"),
        ({"persistence": 101}, "give 100 or less"),
        ({"features": ("a", "a")}, "names one twice"),
        ({"change_point_metrics": ("",)}, "metric name is empty"),
    ],
)
def test_a_bad_policy_is_told_what_to_do(change: dict[str, object], told: str) -> None:
    fact = replace(policy(), **change)  # type: ignore[arg-type]

    ((field, problem),) = problems_of(fact)

    assert field in change
    assert told in problem


def test_the_default_policy_has_no_problem() -> None:
    assert problems_of(DEFAULT_POLICY) == ()


def test_rules_hold_after_they_were_appended() -> None:
    book = RuleBook()
    book.set(at(1000, thresholds(RULE)))
    book.set(at(2000, thresholds()))

    assert book.thresholds_at(ModelId("m"), Micros(1_000_000)) == ()
    assert book.thresholds_at(ModelId("m"), Micros(1_000_001)) == (RULE,)
    assert book.thresholds_at(ModelId("m"), Micros(2_000_000)) == (RULE,)
    assert book.thresholds_at(ModelId("m"), Micros(2_000_001)) == ()
    assert book.thresholds_at(ModelId("other"), Micros(9_000_000)) == ()


def test_own_rules_replace_defaults_of_the_same_name_only() -> None:
    own, other = replace(RULE, threshold=90.0), replace(RULE, name="OTHER")
    book = RuleBook()
    book.set(at(1, thresholds(RULE, other, model="*")))
    book.set(at(2, thresholds(own)))

    assert book.thresholds_at(ModelId("m"), Micros(9000)) == (own, other)
    assert book.thresholds_at(ModelId("n"), Micros(9000)) == (RULE, other)


def test_rules_are_the_same_object_while_nothing_is_set() -> None:
    book = RuleBook()
    book.set(at(1, thresholds(RULE, model="*")))
    book.set(at(2, thresholds(VALUE)))

    first = book.thresholds_at(ModelId("m"), Micros(9000))
    book.set(at(20, thresholds(RULE)))

    assert book.thresholds_at(ModelId("m"), Micros(9001)) is first


def test_a_set_with_a_problem_leaves_what_held_before() -> None:
    book = RuleBook()
    book.set(at(1, thresholds(RULE)))
    book.set(at(2, thresholds(VALUE, replace(RULE, name="BAD", window="7s"))))

    assert book.thresholds_at(ModelId("m"), Micros(9000)) == (RULE,)


def test_facts_may_come_in_any_order_and_twice() -> None:
    book = RuleBook()
    for fact in (at(3, thresholds(VALUE)), at(1, thresholds(RULE)), at(3, thresholds(VALUE))):
        book.set(fact)

    assert book.thresholds_at(ModelId("m"), Micros(2000)) == (RULE,)
    assert book.thresholds_at(ModelId("m"), Micros(4000)) == (VALUE,)


def test_a_clock_that_is_set_back_does_not_bring_old_rules_back() -> None:
    book = RuleBook()
    book.set(at(500, thresholds(RULE), offset=0))
    book.set(at(300, thresholds(VALUE), offset=1))

    assert book.thresholds_at(ModelId("m"), Micros(400_000)) == ()
    assert book.thresholds_at(ModelId("m"), Micros(600_000)) == (VALUE,)


def test_the_policy_of_a_model_goes_before_the_default() -> None:
    book = RuleBook()
    book.set(at(1, policy("*", psi=0.3)))
    book.set(at(2, policy(psi=0.4)))

    assert book.policy_at(ModelId("m"), Micros(1000)) is None
    assert book.policy_in_force(ModelId("m"), Micros(1000)) == DEFAULT_POLICY
    assert book.policy_in_force(ModelId("m"), Micros(2000)) == policy("*", psi=0.3)
    assert book.policy_at(ModelId("m"), Micros(3000)) == policy(psi=0.4)
    assert book.policy_at(ModelId("n"), Micros(3000)) == policy("*", psi=0.3)


def test_a_policy_can_switch_drift_off() -> None:
    book = RuleBook()
    book.set(at(1, replace(policy(), enabled=False)))

    assert book.policy_at(ModelId("m"), Micros(9000)) is not None
    assert book.policy_in_force(ModelId("m"), Micros(9000)) is None
