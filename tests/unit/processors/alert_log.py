"""Writes the log that an alert fold reads: rules, windows, breaches and decisions, cut by cut."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    AlertState,
    ChangePointDetected,
    Direction,
    DriftMeasured,
    DriftPolicySet,
    Fact,
    FeatureDrift,
    MetricWindow,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
    ValueBreached,
    WindowClosed,
    WindowsDecided,
)
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    NodeId,
    SessionId,
    Version,
    derived_event_id,
)
from modeltrail.schemas.rule_problems import WINDOWS

S = 1_000_000
MODEL = ModelId("centerface")
VERSION = Version("v1.0.0")
T = TypeVar("T", bound=AlertState)

RULE = ThresholdRule(
    name="HIGH_LATENCY",
    metric="latency_ms",
    statistic=Statistic.MEAN,
    window="10s",
    direction=Direction.ABOVE,
    threshold=50.0,
    severity=Severity.WARNING,
)
VALUE_RULE = replace(RULE, statistic=Statistic.VALUE, window="")
NO_DATA_RULE = replace(
    RULE, name="SILENT", metric="", statistic=Statistic.NO_DATA, window="1m", threshold=0.0
)


def set_rules(*rules: ThresholdRule, at_s: float = 0, model: str = MODEL) -> Appended:
    fact = ThresholdsSet(
        derived_event_id("set", model, str(at_s)), Micros(0), ModelId(model), rules
    )
    return Appended(0, round(at_s * 1000), round(at_s * 1000), fact)


def set_policy(at_s: float = 0, model: str = MODEL, **fields: object) -> Appended:
    fact = DriftPolicySet(
        event_id=derived_event_id("policy", model, str(at_s)),
        occurred_at=Micros(0),
        model_id=ModelId(model),
        severity=Severity.WARNING,
    )
    changed = replace(fact, **fields)  # type: ignore[arg-type]
    return Appended(0, round(at_s * 1000), round(at_s * 1000), changed)


def metric(name: str, *values: float, count: int | None = None) -> MetricWindow:
    count = len(values) if count is None else count
    total = sum(values)
    return MetricWindow(
        name=name,
        count=count,
        sum_whole=int(total // 1),
        sum_fraction=round(total % 1 * 2**40),
        mean=total / len(values) if values else 0.0,
        min=min(values, default=0.0),
        max=max(values, default=0.0),
        p50=sorted(values)[len(values) // 2] if values else 0.0,
        p95=max(values, default=0.0),
        p99=max(values, default=0.0),
    )


def window(
    end_s: int,
    metrics: Mapping[str, Iterable[float]],
    length: str = "10s",
    *,
    model: str = MODEL,
    version: str = VERSION,
    environment: str = "production",
    arm: str = "champion",
    measurements: int | None = None,
    final: bool = False,
) -> WindowClosed:
    held = tuple(metric(name, *values) for name, values in metrics.items())
    most = max((each.count for each in held), default=0)
    return WindowClosed(
        event_id=derived_event_id("window", model, version, environment, arm, length, end_s, final),
        model_id=ModelId(model),
        version=Version(version),
        environment=environment,
        arm=arm,
        window=length,
        start=Micros(end_s * S - WINDOWS[length]),
        end=Micros(end_s * S),
        final=final,
        measurements=most if measurements is None else measurements,
        metrics=held,
    )


def decided(end_s: int) -> WindowsDecided:
    return WindowsDecided(derived_event_id("decided", end_s), 0, Micros(end_s * S))


def breach(
    at_s: float, value: float = 90.0, *, source: int = 0, rule: str = "HIGH_LATENCY"
) -> ValueBreached:
    return ValueBreached(
        event_id=derived_event_id("breach", source, str(at_s), rule),
        model_id=MODEL,
        version=VERSION,
        environment="production",
        arm="champion",
        source_partition=source,
        source_offset=round(at_s * 1000),
        appended_at=Micros(round(at_s * S)),
        captured_at=Micros(round(at_s * S)),
        node_id=NodeId(f"node-{source}"),
        session_id=SessionId("s"),
        frame=7,
        rule=rule,
        metric="latency_ms",
        value=value,
    )


def drift(
    end_s: int, streak: int, *, psi: float | None = None, length: str = "1m", feature: str = "luma"
) -> DriftMeasured:
    measured = FeatureDrift(
        name=feature,
        kind="NUMERIC",
        psi=(0.4 if streak else 0.01) if psi is None else psi,
        js=0.1,
        statistic=0.1,
        p_value=0.001,
        adjusted_p_value=0.001,
        samples=200,
        effective_samples=150.0,
        drifted=streak > 0,
        streak=streak,
    )
    return DriftMeasured(
        event_id=derived_event_id("drift", end_s, feature),
        model_id=MODEL,
        version=VERSION,
        environment="production",
        arm="champion",
        window=length,
        start=Micros(end_s * S - WINDOWS[length]),
        end=Micros(end_s * S),
        profile_id=EventId(bytes(16)),
        features=(measured,),
    )


def change(end_s: int, *, worse: bool = True, after: float = 0.7) -> ChangePointDetected:
    return ChangePointDetected(
        event_id=derived_event_id("change", end_s),
        model_id=MODEL,
        version=VERSION,
        environment="production",
        arm="champion",
        metric="accuracy",
        end=Micros(end_s * S),
        mean_before=0.9,
        mean_after=after,
        worse=worse,
    )


def cut(end_s: int, *facts: Fact) -> list[Fact]:
    """The windows that end at `end_s`, then their decision."""
    return [*facts, decided(end_s)]


def latency(end_s: int, *values: float, length: str = "10s") -> list[Fact]:
    """A cut at which latency had these values; none: nothing was measured."""
    return cut(end_s, *([window(end_s, {"latency_ms": values}, length)] if values else []))


def absorb(fold: AlertFold, *records: Appended | Fact) -> list[AlertState]:
    """Give the fold these records; what it answers."""
    answers: list[AlertState] = []
    for record in records:
        appended = record if isinstance(record, Appended) else Appended(0, 0, 0, record)
        for fact in fold.absorb(appended):
            assert isinstance(fact, AlertState)
            answers.append(fact)
    return answers


def story(fold: AlertFold, *steps: Appended | Fact | list[Fact]) -> list[AlertState]:
    """As `absorb`, with whole cuts among the records."""
    records: list[Appended | Fact] = []
    for step in steps:
        records += step if isinstance(step, list) else [step]
    return absorb(fold, *records)


def told(facts: Iterable[AlertState]) -> list[tuple[str, int]]:
    """Each step by its name and its time in seconds."""
    return [(type(fact).__name__.removeprefix("Alert"), fact.occurred_at // S) for fact in facts]
