"""Makes the log that a drift fold reads from streams of values, and reads off what it found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter  # type: ignore[import-untyped]

from modeltrail.processors.drift.fold import DriftFold
from modeltrail.producers.profiling.features import feature_profile
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.columns import longs
from modeltrail.schemas.events import (
    DriftMeasured,
    Fact,
    MetricWindow,
    ReferenceProfiled,
    WindowClosed,
    WindowsDecided,
)
from modeltrail.schemas.ids import (
    EventId,
    Micros,
    ModelId,
    Sha256,
    Version,
    derived_event_id,
)
from modeltrail.schemas.sketch import bins_of

Floats = npt.NDArray[np.float64]

MODEL = ModelId("centerface")
VERSION = Version("v1.0.0")
BUCKET_US = 10_000_000
#: The log begins at a full hour.
BEGIN_US = 1_800_000_000_000_000
PROFILE_ID = EventId(b"reference of it.")
FPS = 25
PER_BUCKET = 10 * FPS
PER_MINUTE = 60 * FPS


@dataclass(frozen=True, slots=True)
class Process:
    """A stationary Gaussian process of brightness: AR(1) with `coefficient` from frame to frame."""

    coefficient: float
    mean: float = 120.0
    deviation: float = 30.0

    def sample(self, rng: np.random.Generator, values: int) -> Floats:
        """A stretch of it that begins in its stationary distribution, shape (values,)."""
        noise = rng.standard_normal(values)
        if self.coefficient:
            noise[1:] *= np.sqrt(1 - self.coefficient**2)
            noise = lfilter([1.0], [1.0, -self.coefficient], noise)
        return np.asarray(self.mean + self.deviation * noise)


def profiled(columns: Mapping[str, Floats], at_us: int = BEGIN_US - BUCKET_US) -> Appended:
    """A reference of these columns, appended before the first bucket ends."""
    fact = ReferenceProfiled(
        PROFILE_ID,
        Micros(at_us),
        MODEL,
        VERSION,
        "a recording",
        Sha256(bytes(32)),
        len(next(iter(columns.values()))),
        tuple(feature_profile(name, column) for name, column in columns.items()),
    )
    return Appended(0, 0, at_us // 1000, fact)


def windows_of(metric: str, values: Floats, per_bucket: int = PER_BUCKET) -> list[MetricWindow]:
    """The metric in each bucket of 10 s."""
    rows = values.reshape(-1, per_bucket)
    bins = np.sort(bins_of(values).reshape(rows.shape), axis=1)
    firsts = np.ones(bins.shape, dtype=bool)
    firsts[:, 1:] = bins[:, 1:] != bins[:, :-1]
    places = np.flatnonzero(firsts)
    counts = np.diff(places, append=bins.size).tolist()
    distinct = bins.ravel()[places].tolist()
    ends = np.cumsum(firsts.sum(axis=1)).tolist()
    extremes = (rows.mean(axis=1), rows.min(axis=1), rows.max(axis=1))
    found = []
    for begin, end, mean, low, high in zip(
        [0, *ends[:-1]], ends, *(column.tolist() for column in extremes), strict=True
    ):
        found.append(
            MetricWindow(
                metric,
                per_bucket,
                0,
                0,
                mean,
                low,
                high,
                0.0,
                0.0,
                0.0,
                longs(distinct[begin:end]),
                longs(counts[begin:end]),
            )
        )
    return found


def closed(
    bucket: int, *metrics: MetricWindow, final: bool = False, arm: str = "champion"
) -> WindowClosed:
    """The 10 s window that ends `bucket` + 1 buckets after the beginning."""
    end = Micros(BEGIN_US + (bucket + 1) * BUCKET_US)
    return WindowClosed(
        derived_event_id(WindowClosed.record, arm, end, int(final)),
        MODEL,
        VERSION,
        "production",
        arm,
        "10s",
        Micros(end - BUCKET_US),
        end,
        final,
        max((metric.count for metric in metrics), default=0),
        metrics,
    )


def decided(bucket: int) -> WindowsDecided:
    """All windows up to the end of this bucket are decided."""
    end = Micros(BEGIN_US + (bucket + 1) * BUCKET_US)
    return WindowsDecided(derived_event_id(WindowsDecided.record, 0, end), 0, end)


def log_of(buckets: Sequence[Sequence[MetricWindow]], first: int = 0) -> Iterator[Fact]:
    """A bucket and a decision in turn, and the one decision more that the last bucket waits for."""
    for bucket, metrics in enumerate(buckets, first):
        if metrics:
            yield closed(bucket, *metrics)
        yield decided(bucket)
    yield decided(first + len(buckets))


def fold_all(
    fold: DriftFold, facts: Sequence[Fact] | Iterator[Fact], offset: int = 0
) -> list[Fact]:
    """What follows from a log; the fold reads what it wrote, as it does in Kafka."""
    found: list[Fact] = []
    for fact in facts:
        written = fold.absorb(Appended(0, offset, BEGIN_US // 1000, fact))
        offset += 1
        for own in written:
            found.append(own)
            assert fold.absorb(Appended(0, offset, BEGIN_US // 1000, own)) == ()
            offset += 1
    return found


def drift_of(reference: Floats, values: Floats) -> list[DriftMeasured]:
    """What a fold measures of one stream under the default policy, a minute at a time."""
    fold = DriftFold(0)
    fold.absorb(profiled({"luma_mean": reference}))
    buckets = [(metric,) for metric in windows_of("luma_mean", values)]
    return [fact for fact in fold_all(fold, log_of(buckets)) if isinstance(fact, DriftMeasured)]


def alerting(measured: Sequence[DriftMeasured], persistence: int = 3) -> list[int]:
    """The windows, as minutes since the beginning, that raise an alert or would keep it up."""
    return [
        (fact.end - BEGIN_US) // 60_000_000
        for fact in measured
        if any(feature.drifted and feature.streak >= persistence for feature in fact.features)
    ]


def raises_alert(process: Process, seed: int, windows: int) -> bool:
    """Whether a stationary stream does, measured against a recording of another hour."""
    rng = np.random.default_rng(seed)
    reference = process.sample(rng, 60 * PER_MINUTE)
    return bool(alerting(drift_of(reference, process.sample(rng, windows * PER_MINUTE))))


def windows_to_alert(process: Process, seed: int, warm_up: int = 60, patience: int = 12) -> int:
    """After how many windows a shift of one sigma raises one; `patience` + 1: not within it."""
    rng = np.random.default_rng(seed)
    reference = process.sample(rng, 60 * PER_MINUTE)
    stream = process.sample(rng, (warm_up + patience) * PER_MINUTE)
    stream[warm_up * PER_MINUTE :] += process.deviation
    found = alerting(drift_of(reference, stream))
    assert not found or found[0] > warm_up, "a false alarm is not a finding"
    return found[0] - warm_up if found else patience + 1
