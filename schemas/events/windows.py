"""Facts about windows: what partitions hold of them, what they came to, and how time advanced."""

from dataclasses import dataclass, field
from typing import ClassVar

from modeltrail.schemas.columns import Doubles, Longs, no_longs
from modeltrail.schemas.events.base import Fact
from modeltrail.schemas.ids import EventId, Micros, ModelId, NodeId, SessionId, Version


@dataclass(frozen=True, slots=True)
class OfSeries(Fact):
    """A fact about the measurements of one version in one environment and arm."""

    model_id: ModelId
    version: Version
    environment: str
    arm: str


@dataclass(frozen=True, slots=True)
class OfManySeries(Fact):
    """A fact about many series, column by column, in the partition that holds all of their models.

    Every series has a place in the first four columns; what follows of it is in the same order.
    """

    partition: int
    source_partition: int
    model_ids: tuple[ModelId, ...]
    versions: tuple[Version, ...]
    environments: tuple[str, ...]
    arms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartialWindows(OfManySeries):
    """What one partition holds of series in 10 s of capture; what is newer of one replaces it.

    `metrics` are places in `metric_names`, `metrics_each` of them a series and `bins_each` bins a
    metric: integer state, a fixed-point sum and the counts of logarithmic bins.
    """

    record: ClassVar[str] = "modeltrail.windows.PartialWindows"

    start: Micros
    end: Micros
    final: bool
    measurements: Longs
    metric_names: tuple[str, ...]
    metrics_each: Longs
    metrics: Longs
    counts: Longs
    sums_whole: Longs
    sums_fraction: Longs
    mins: Doubles
    maxs: Doubles
    bins_each: Longs
    bins: Longs
    bin_counts: Longs


@dataclass(frozen=True, slots=True)
class RecentMeasurements(OfManySeries):
    """The newest measurements of series (at most 1,000 each) that a partition took in one step.

    `measurements` says how many each series has. `values` has, series by series and metric by
    metric, one value a measurement, NaN where it has none; `metrics` as in PartialWindows.
    """

    record: ClassVar[str] = "modeltrail.windows.RecentMeasurements"

    advanced_to: Micros
    measurements: Longs
    appended_ms: Longs
    offsets: Longs
    metric_names: tuple[str, ...]
    metrics_each: Longs
    metrics: Longs
    values: Doubles


@dataclass(frozen=True, slots=True)
class MetricPartial:
    """Integer state of one metric: a fixed-point sum and the counts of its logarithmic bins."""

    name: str
    count: int
    sum_whole: int
    sum_fraction: int
    min: float
    max: float
    bins: Longs
    counts: Longs


@dataclass(frozen=True, slots=True)
class PartialWindow(OfSeries):
    """What one partition holds of a series in 10 s of capture; PartialWindows came in its place."""

    record: ClassVar[str] = "modeltrail.windows.PartialWindow"

    source_partition: int
    start: Micros
    end: Micros
    final: bool
    measurements: int
    metrics: tuple[MetricPartial, ...]


@dataclass(frozen=True, slots=True)
class RecentMetric:
    """The values of one metric; NaN where a measurement has none."""

    name: str
    values: Doubles


@dataclass(frozen=True, slots=True)
class RecentMeasured(OfSeries):
    """The newest measurements of a series in a step; RecentMeasurements came in its place."""

    record: ClassVar[str] = "modeltrail.windows.RecentMeasured"

    source_partition: int
    advanced_to: Micros
    appended_ms: Longs
    offsets: Longs
    metrics: tuple[RecentMetric, ...]


@dataclass(frozen=True, slots=True)
class ValueBreached(OfSeries):
    """A measurement broke a rule on single values: the first one of a partition in 10 s."""

    record: ClassVar[str] = "modeltrail.windows.ValueBreached"

    source_partition: int
    source_offset: int
    appended_at: Micros
    captured_at: Micros
    node_id: NodeId
    session_id: SessionId
    frame: int
    rule: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class PartitionAdvanced(Fact):
    """All of a source partition appended up to `advanced_to` is in the partials before this."""

    record: ClassVar[str] = "modeltrail.windows.PartitionAdvanced"

    partition: int
    source_partition: int
    source_partitions: int
    advanced_to: Micros
    measurements: int
    late: int
    refused: int
    out_of_range: int
    truths: int
    unmatched_truths: int
    evicted_samples: int


@dataclass(frozen=True, slots=True)
class MetricWindow:
    """One metric of a closed window; bins only in windows of 10 s."""

    name: str
    count: int
    sum_whole: int
    sum_fraction: int
    mean: float
    min: float
    max: float
    p50: float
    p95: float
    p99: float
    bins: Longs = field(default_factory=no_longs)
    counts: Longs = field(default_factory=no_longs)


@dataclass(frozen=True, slots=True)
class WindowClosed(OfSeries):
    """A window of a series: as decided 1 s after its end, or final if late events changed it."""

    record: ClassVar[str] = "modeltrail.windows.WindowClosed"

    window: str
    start: Micros
    end: Micros
    final: bool
    measurements: int
    metrics: tuple[MetricWindow, ...]


@dataclass(frozen=True, slots=True)
class WindowsDecided(Fact):
    """All windows of a partition that end by `end` were decided before this."""

    record: ClassVar[str] = "modeltrail.windows.WindowsDecided"

    partition: int
    end: Micros


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """Distance of a feature from its reference; `statistic` is KS or chi-square by its kind."""

    name: str
    kind: str
    psi: float
    js: float
    statistic: float
    p_value: float
    adjusted_p_value: float
    samples: int
    effective_samples: float
    drifted: bool
    streak: int


@dataclass(frozen=True, slots=True)
class DriftMeasured(OfSeries):
    """How far the features of a series are from the reference profile in one window."""

    record: ClassVar[str] = "modeltrail.windows.DriftMeasured"

    window: str
    start: Micros
    end: Micros
    profile_id: EventId
    features: tuple[FeatureDrift, ...]


@dataclass(frozen=True, slots=True)
class ChangePointDetected(OfSeries):
    """The mean of a stream of window means is another one from about `end` on."""

    record: ClassVar[str] = "modeltrail.windows.ChangePointDetected"

    metric: str
    end: Micros
    mean_before: float
    mean_after: float
    worse: bool
