"""Answers what a version must pass before it meets traffic: settings of the gates offline."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from modeltrail.schemas.ids import check_id, sha256_from_hex
from modeltrail.schemas.policy_kinds import (
    METRIC,
    POSITIVE_SECONDS,
    choice,
    list_of,
    mapping_of,
    name_of,
    number,
    optional,
    section,
    setting,
    text,
    truth,
    whole,
)

_MOST_SHAPES = 64
_SHAPES = mapping_of(list_of(whole(1, 2**31 - 1), 0, 32), _MOST_SHAPES)


class Statistic(StrEnum):
    """What of the latencies is compared; people may write it in small letters."""

    P50 = "P50"
    P95 = "P95"
    P99 = "P99"


class Risk(StrEnum):
    """The highest risk that is let through."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


def _check_optional_id(value: str) -> None:
    if value:
        check_id("name", value)


def _check_optional_sha256(value: str) -> None:
    if value:
        sha256_from_hex(value)


@dataclass(frozen=True, slots=True)
class ValidationPolicy:
    """What a worker checks the file of a version against, and how much it may use."""

    cpu_s: float = setting(60.0, POSITIVE_SECONDS, "CPU time of the check, s")
    wall_s: float = setting(120.0, POSITIVE_SECONDS, "longest time of the check, s")
    memory_mb: int = setting(4096, whole(64, 2**20), "memory of the check, MiB")
    absolute_tolerance: float = setting(
        1e-4, number(0.0, 1e9), "distance from golden outputs that is let through"
    )
    relative_tolerance: float = setting(
        1e-3, number(0.0, 1e9), "the same as a share of the golden output"
    )
    golden_uri: str = setting(
        "", text(_check_optional_id, maxLength=1000), "golden inputs and outputs, .npz; empty: none"
    )
    golden_sha256: str = setting(
        "",
        text(_check_optional_sha256, pattern="^([0-9a-fA-F]{64})?$"),
        "SHA-256 of that file, 64 hex digits",
    )
    require_golden: bool = setting(False, truth(), "a version without golden outputs fails")
    providers: tuple[str, ...] = setting(
        ("CUDAExecutionProvider", "CPUExecutionProvider"),
        list_of(name_of("provider"), 1, 16),
        "execution providers of ONNX Runtime, the first that is there is used",
    )
    shapes: dict[str, tuple[int, ...]] = setting(
        {}, _SHAPES, "shape of each input with symbolic dimensions"
    )
    deadline_s: float = setting(600.0, POSITIVE_SECONDS, "time for an answer, s")


@dataclass(frozen=True, slots=True)
class PerformancePolicy:
    """How a version is measured beside the one in production, and what it may cost."""

    warmup: int = setting(5, whole(0, 10_000), "runs before anything is measured")
    runs: int = setting(60, whole(20, 10_000), "measured runs of each version and batch size")
    batch_sizes: tuple[int, ...] = setting(
        (1,), list_of(whole(1, 65_536), 1, 16), "batch sizes that are measured"
    )
    shapes: dict[str, tuple[int, ...]] = setting(
        {}, _SHAPES, "shape of each input with symbolic dimensions"
    )
    confidence: float = setting(
        0.95, number(0.5, 1.0, open_ends=True), "confidence of the interval of the ratio"
    )
    max_latency_ratio: float = setting(
        1.10, number(0.0, 1000.0, open_ends=True), "candidate's latency over production's, at most"
    )
    statistic: Statistic = setting(Statistic.P50, choice(Statistic), "what of the latencies")
    max_latency_ms: float | None = setting(
        None, optional(number(0.0, 1e9, open_ends=True)), "the candidate's latency, at most, ms"
    )
    max_memory_ratio: float | None = setting(
        None,
        optional(number(0.0, 1000.0, open_ends=True)),
        "candidate's peak memory over production's, at most",
    )
    deadline_s: float = setting(600.0, POSITIVE_SECONDS, "time for an answer, s")


@dataclass(frozen=True, slots=True)
class DataQualityPolicy:
    """What the reference profile of a version must show."""

    minimum_rows: int = setting(100, whole(1, 2**53), "observations in the profile, at least")
    features: tuple[str, ...] = setting((), list_of(METRIC, 0, 32), "features that it must have")
    maximum_age_days: float | None = setting(
        None, optional(number(0.0, 36_500.0, open_ends=True)), "oldest profile, days"
    )


@dataclass(frozen=True, slots=True)
class EthicsPolicy:
    """What the newest assessment of a version must show."""

    maximum_bias_risk: Risk = setting(Risk.MEDIUM, choice(Risk), "bias between groups, at most")
    maximum_privacy_risk: Risk = setting(Risk.MEDIUM, choice(Risk), "risk to privacy, at most")
    minimum_transparency: float = setting(0.0, number(0.0, 1.0), "transparency, at least")
    maximum_age_days: float | None = setting(
        None, optional(number(0.0, 36_500.0, open_ends=True)), "oldest assessment, days"
    )


@dataclass(frozen=True, slots=True)
class StagingPolicy:
    """Where a version is loaded before it meets traffic."""

    environment: str = setting("staging", name_of("environment"), "its environment")
    minimum_nodes: int = setting(0, whole(0, 10_000), "nodes that must load it, at least")
    deadline_s: float = setting(120.0, POSITIVE_SECONDS, "time for all live nodes, s")


def _golden_problem(policy: ValidationPolicy) -> str | None:
    if bool(policy.golden_uri) != bool(policy.golden_sha256):
        return "golden_uri and golden_sha256 belong together: give both, or none"
    if policy.require_golden and not policy.golden_uri:
        return "require_golden needs a file: give golden_uri and golden_sha256"
    return None


#: Below this many runs a resampled interval of the statistic is narrower than it says.
FEWEST_RUNS: Mapping[Statistic, int] = MappingProxyType(
    {Statistic.P50: 20, Statistic.P95: 100, Statistic.P99: 500}
)


def _runs_problem(policy: PerformancePolicy) -> str | None:
    fewest = FEWEST_RUNS[policy.statistic]
    if policy.runs < fewest:
        return f"runs {policy.runs} are too few for {policy.statistic}: give {fewest} or more"
    return None


VALIDATION = section(ValidationPolicy, _golden_problem)
PERFORMANCE = section(PerformancePolicy, _runs_problem)
DATA_QUALITY = section(DataQualityPolicy)
ETHICS = section(EthicsPolicy)
STAGING = section(StagingPolicy)
