"""Rules are read from what was written of them, whatever they say."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.schemas.events import (
    Direction,
    DriftPolicySet,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId
from modeltrail.schemas.rulebook import DEFAULT_POLICY, problems_of
from modeltrail.schemas.rules_file import parse_rules
from modeltrail.schemas.rules_text import rules_text

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def rules(draw: st.DrawFn) -> ThresholdRule:
    statistic = draw(st.sampled_from([each for each in Statistic if each != "UNKNOWN"]))
    rule = ThresholdRule(
        name=draw(NAMES),
        metric=draw(NAMES),
        statistic=statistic,
        window=draw(st.sampled_from(["10s", "1m", "5m", "1h"])),
        direction=draw(st.sampled_from([Direction.ABOVE, Direction.BELOW])),
        threshold=draw(NUMBERS),
        severity=draw(st.sampled_from([Severity.INFO, Severity.WARNING, Severity.CRITICAL])),
        for_s=draw(st.floats(0, 86_400)),
        environment=draw(st.one_of(st.just(""), NAMES)),
    )
    if statistic is Statistic.VALUE:
        return replace(rule, window="", for_s=0.0)
    if statistic is Statistic.NO_DATA:
        return replace(rule, direction=Direction.BELOW, threshold=1.0)
    if statistic in (Statistic.PARITY_RATIO, Statistic.PARITY_DIFFERENCE):
        ratio = statistic is Statistic.PARITY_RATIO
        rule = replace(
            rule,
            metric=rule.metric.replace("@", "a"),
            direction=Direction.BELOW if ratio else Direction.ABOVE,
            threshold=draw(st.floats(0, 1, exclude_min=ratio)),
        )
    if statistic is Statistic.SHARE:
        rule = replace(rule, share_of=rule.metric + "s")
    return replace(
        rule, minimum_samples=draw(st.integers(1, 10**9)), resolve_threshold=rule.threshold
    )


@st.composite
def policies(draw: st.DrawFn) -> DriftPolicySet:
    return replace(
        DEFAULT_POLICY,
        model_id=ModelId("m"),
        enabled=draw(st.booleans()),
        window=draw(st.sampled_from(["10s", "1m", "5m", "1h"])),
        psi_threshold=draw(st.floats(1e-300, 1e300)),
        persistence=draw(st.integers(1, 100)),
        features=tuple(draw(st.lists(NAMES, unique=True, max_size=3))),
    )


@given(st.lists(rules(), max_size=4, unique_by=lambda rule: rule.name), policies(), NAMES)
def test_what_is_written_is_read_as_the_same(
    some: list[ThresholdRule], policy: DriftPolicySet, model: str
) -> None:
    drafts = (
        ThresholdsSet(EventId(bytes(16)), Micros(0), ModelId(model), tuple(some)),
        replace(policy, model_id=ModelId(model)),
    )

    assert [problem for draft in drafts for problem in problems_of(draft)] == []
    assert parse_rules(rules_text(drafts)) == drafts
