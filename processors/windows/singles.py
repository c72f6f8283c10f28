"""Says what follows from single records: samples for ground truth, and breaches of value rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from modeltrail.processors.windows.breaches import ValueRules
from modeltrail.processors.windows.columns import (
    ACCURACY,
    ERROR,
    Integers,
    Measurements,
    Rows,
)
from modeltrail.processors.windows.cuts import Place
from modeltrail.processors.windows.moments import cut_ms
from modeltrail.processors.windows.truths import Judged
from modeltrail.schemas.events import Fact, MeasurementSampled, ValueBreached
from modeltrail.schemas.ids import Micros, NodeId, SessionId, derived_event_id
from modeltrail.schemas.measures import MEASURES

F = TypeVar("F", bound=Fact, covariant=True)
AtOffset = tuple[int, F]
"""A fact and the offset of the record that it follows from."""


@dataclass(frozen=True, slots=True)
class JudgedTruth:
    """A ground truth that met its sample: its place in the log, its append time, its series."""

    offset: int
    time_ms: int
    series: int
    judged: Judged


def samples_of(
    place: Place, rows: Rows, measurements: Measurements
) -> list[AtOffset[MeasurementSampled]]:
    """The measurements among `rows` that are kept for their ground truth."""
    if not measurements.sampled.size or not len(rows):
        return []
    chosen = rows.where(
        np.isin(rows.numbers, measurements.sampled, assume_unique=True, kind="table")
    )
    if not len(chosen):
        return []
    measured: list[list[tuple[str, float]]] = [
        [(name, value) for name, value in zip(MEASURES, values, strict=True) if value == value]
        for values in chosen.values.T.tolist()
    ]
    extras = chosen.extras
    for row, metric, value in zip(
        extras.rows.tolist(), extras.metrics.tolist(), extras.values.tolist(), strict=True
    ):
        measured[row].append((place.metrics[metric], value))
    identities = measurements.identities(chosen.numbers)
    found = []
    for row, (identity, pairs) in enumerate(zip(identities, measured, strict=True)):
        model_id, version, environment, arm = place.series[int(chosen.series[row])]
        sample = MeasurementSampled(
            derived_event_id(MeasurementSampled.record, identity.event_id),
            model_id,
            identity.node_id,
            identity.session_id,
            identity.frame,
            version,
            environment,
            arm,
            Micros(int(chosen.captured_us[row])),
            tuple(name for name, _ in pairs),
            tuple(value for _, value in pairs),
        )
        found.append((int(chosen.offsets[row]), sample))
    return found


def breaches_by(
    place: Place, step: int, rules: ValueRules, rows: Rows, measurements: Measurements
) -> list[AtOffset[ValueBreached]]:
    """The measurements that are the first of their series and step to break a rule."""
    found = []
    for metric in rules.metrics:
        if metric in MEASURES:
            owners = np.arange(len(rows))
            values = rows.values[MEASURES.index(metric)]
        else:
            mine = rows.extras.metrics == place.metrics.of(metric)
            owners, values = rows.extras.rows[mine], rows.extras.values[mine]
        breaches = rules.first_breaches(metric, rows.series[owners], values)
        found += [(int(owners[breach.row]), metric, breach) for breach in breaches]
    numbers: Integers = np.array([row for row, _, _ in found], dtype=np.int64)
    identities = measurements.identities(rows.numbers[numbers]) if found else []
    return [
        _breached(
            place,
            step,
            int(rows.series[row]),
            int(rows.offsets[row]),
            int(rows.times_ms[row]),
            Micros(int(rows.captured_us[row])),
            (identity.node_id, identity.session_id, identity.frame),
            (breach.rule, metric, breach.value),
        )
        for (row, metric, breach), identity in zip(found, identities, strict=True)
    ]


def breaches_by_truths(
    place: Place, step: int, rules: ValueRules, truths: Sequence[JudgedTruth]
) -> list[AtOffset[ValueBreached]]:
    """The truths that are the first of their series and step to break a rule on how right it is."""
    series = np.array([truth.series for truth in truths], dtype=np.int64)
    found = []
    for metric in rules.metrics & {ACCURACY, ERROR}:
        values = np.array([getattr(truth.judged, metric) for truth in truths])
        for breach in rules.first_breaches(metric, series, values):
            truth = truths[breach.row]
            sample = truth.judged.sample
            found.append(
                _breached(
                    place,
                    step,
                    truth.series,
                    truth.offset,
                    truth.time_ms,
                    sample.captured_at,
                    (sample.node_id, sample.session_id, sample.frame),
                    (breach.rule, metric, breach.value),
                )
            )
    return found


def _breached(
    place: Place,
    step: int,
    series: int,
    offset: int,
    time_ms: int,
    captured_at: Micros,
    frame: tuple[NodeId, SessionId, int],
    broken: tuple[str, str, float],
) -> AtOffset[ValueBreached]:
    rule, metric, value = broken
    names = place.series[series]
    return offset, ValueBreached(
        derived_event_id(ValueBreached.record, place.partition, *names, rule, cut_ms(step)),
        *names,
        place.partition,
        offset,
        Micros(time_ms * 1000),
        captured_at,
        *frame,
        rule,
        metric,
        value,
    )
