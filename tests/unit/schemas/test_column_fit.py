"""Facts whose columns do not fit each other are refused as they are read, before any fold."""

from dataclasses import replace
from typing import Any

import pytest

from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.columns import doubles, longs
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import (
    Fact,
    MeasurementSampled,
    PartialWindow,
    PartialWindows,
    RecentMeasured,
    RecentMeasurements,
    WindowClosed,
)
from modeltrail.schemas.example_facts import example_fact

CODEC = Codec(MemorySchemaIds())
PARTIALS, RECENT = example_fact(PartialWindows), example_fact(RecentMeasurements)
ONE_PARTIAL, ONE_RECENT = example_fact(PartialWindow), example_fact(RecentMeasured)
CLOSED, SAMPLED = example_fact(WindowClosed), example_fact(MeasurementSampled)


def read_again(fact: Fact) -> Fact:
    return CODEC.decode(CODEC.encode(fact))


@pytest.mark.parametrize(
    "fact", [PARTIALS, RECENT, ONE_PARTIAL, ONE_RECENT, CLOSED, SAMPLED], ids=lambda f: f.record
)
def test_columns_that_fit_are_read(fact: Fact) -> None:
    assert read_again(fact) == fact


@pytest.mark.parametrize(
    "changes",
    [
        {"versions": ()},
        {"environments": (*PARTIALS.environments, "production")},
        {"arms": ()},
        {"measurements": longs(())},
        {"measurements": longs([-1] * len(PARTIALS.measurements))},
        {"metrics_each": longs(())},
        {"metrics_each": longs([0] * len(PARTIALS.metrics_each))},
        {"metrics_each": longs([-1] * len(PARTIALS.metrics_each))},
        {"metric_names": ()},
        {"metric_names": ("",) * len(PARTIALS.metric_names)},
        {"metrics": longs([-1] * len(PARTIALS.metrics))},
        {"metrics": longs(())},
        {"counts": longs(())},
        {"counts": longs([-1] * len(PARTIALS.counts))},
        {"sums_whole": longs(())},
        {"sums_fraction": longs(())},
        {"mins": doubles(())},
        {"maxs": doubles(())},
        {"bins_each": longs(())},
        {"bins_each": longs([0] * len(PARTIALS.bins_each))},
        {"bins_each": longs([-1] * len(PARTIALS.bins_each))},
        {"bins": longs(())},
        {"bins": longs([2**31] * len(PARTIALS.bins))},
        {"bins": longs([-(2**31)] * len(PARTIALS.bins))},
        {"bin_counts": longs(())},
        {"bin_counts": longs([-1] * len(PARTIALS.bin_counts))},
    ],
    ids=str,
)
def test_partial_windows_are_refused_whose_columns_do_not_fit(changes: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="the columns of PartialWindows do not fit"):
        read_again(replace(PARTIALS, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"model_ids": ()},
        {"measurements": longs([0] * len(RECENT.measurements))},
        {"measurements": longs([-1] * len(RECENT.measurements))},
        {"measurements": longs([2**40] * len(RECENT.measurements))},
        {"appended_ms": longs(())},
        {"offsets": longs(())},
        {"metrics_each": longs(())},
        {"metrics": longs([len(RECENT.metric_names)] * len(RECENT.metrics))},
        {"values": doubles(())},
        {"values": doubles([*RECENT.values, 1.0])},
        {"values": doubles([2.0**42] * len(RECENT.values))},
        {"values": doubles([float("inf")] * len(RECENT.values))},
    ],
    ids=str,
)
def test_recent_measurements_are_refused_whose_columns_do_not_fit(changes: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="the columns of RecentMeasurements do not fit"):
        read_again(replace(RECENT, **changes))


@pytest.mark.parametrize("changes", [{"bins": longs(())}, {"counts": longs(())}], ids=str)
@pytest.mark.parametrize("fact", [ONE_PARTIAL, CLOSED], ids=lambda f: f.record)
def test_bins_are_refused_that_have_no_counts(
    fact: PartialWindow | WindowClosed, changes: dict[str, Any]
) -> None:
    metrics = tuple(replace(metric, **changes) for metric in fact.metrics)
    with pytest.raises(DecodeError, match=r"has \d bins and \d counts"):
        read_again(replace(fact, metrics=metrics))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fact",
    [
        replace(ONE_RECENT, offsets=longs(()), appended_ms=longs(()), metrics=()),
        replace(ONE_RECENT, appended_ms=longs(())),
        replace(
            ONE_RECENT,
            metrics=tuple(replace(metric, values=doubles(())) for metric in ONE_RECENT.metrics),
        ),
        replace(SAMPLED, values=(*SAMPLED.values, 1.0)),
    ],
    ids=["nothing measured", "no times", "no values", "values without names"],
)
def test_measurements_are_refused_whose_values_do_not_pair_up(fact: Fact) -> None:
    with pytest.raises(DecodeError, match="do not fit"):
        read_again(fact)
