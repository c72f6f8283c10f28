"""Sets the rules and reference profiles that every benchmark of the processors runs under."""

from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    ANY_MODEL,
    Direction,
    FeatureKind,
    FeatureProfile,
    ReferenceProfiled,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version, new_event_id
from modeltrail.schemas.topics import REGISTRY, RULES, key_of

#: A single value above this raises at once; no ordinary measurement is near it.
VALUE_LIMIT_MS = 1_000.0
VALUE_METRICS = ("latency_ms", "detect_ms", "mask_ms")
#: Means below these raise when the window ends.
MEAN_LIMITS = {"fps": 5.0, "detection_score": 0.1}
_FEATURES = ("luma_mean", "luma_std", "laplacian_var", "face_size")


def rules() -> tuple[ThresholdRule, ...]:
    """Thresholds on five metrics: single values of three, and windows of every length."""
    above, below, severity = Direction.ABOVE, Direction.BELOW, Severity.WARNING
    return (
        *(
            ThresholdRule(
                f"{metric}_VALUE", metric, Statistic.VALUE, "", above, VALUE_LIMIT_MS, severity
            )
            for metric in VALUE_METRICS
        ),
        *(
            ThresholdRule(f"{metric}_MEAN", metric, Statistic.MEAN, "10s", below, limit, severity)
            for metric, limit in MEAN_LIMITS.items()
        ),
        ThresholdRule("DETECT", "detect_ms", Statistic.P95, "1m", above, 500.0, severity),
        ThresholdRule("SCORE", "detection_score", Statistic.MEAN, "5m", below, 0.1, severity),
        ThresholdRule("MASK", "mask_ms", Statistic.P99, "1h", above, 100.0, severity),
    )


def watch(settings: Settings, models: int) -> None:
    """Put the rules in force for all models, and a reference profile of 4 features for each."""
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    producer = make_producer(settings.kafka)
    prefix, now = settings.kafka.topic_prefix, Micros(SystemClock().now_us())
    thresholds = ThresholdsSet(new_event_id(), now, ANY_MODEL, rules())
    producer.produce(RULES.full_name(prefix), codec.encode(thresholds), key_of(ANY_MODEL))
    for model in range(models):
        profile = _profile(ModelId(f"model-{model}"), now)
        value, key = codec.encode(profile), key_of(profile.model_id)
        producer.produce(REGISTRY.full_name(prefix), value, key)
    producer.flush()


def _profile(model_id: ModelId, now: Micros) -> ReferenceProfiled:
    features = tuple(
        FeatureProfile(name, FeatureKind.NUMERIC, (100,) * 9, (0.25, 16, 32, 64, 96, 128, 192, 512))
        for name in _FEATURES
    )
    return ReferenceProfiled(
        new_event_id(), now, model_id, Version("v1.0.0"), "bench", Sha256(bytes(32)), 900, features
    )
