CREATE TABLE IF NOT EXISTS {database}.drift_rows
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    window LowCardinality(String) COMMENT 'Length of the window: 10s, 1m, 5m, 1h or last_1000.',
    start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'First microsecond of the window.',
    end DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'End of the window, which it does not include.',
    profile_id_bytes FixedString(16) COMMENT 'Identity of the ReferenceProfiled that was compared with, 16 bytes.',
    feature LowCardinality(String) COMMENT 'Feature or score.',
    kind LowCardinality(String) COMMENT 'NUMERIC or CATEGORICAL.',
    psi Float64 COMMENT 'Population stability index.',
    js Float64 COMMENT 'Jensen-Shannon distance, 0 to 1.',
    statistic Float64 COMMENT 'Kolmogorov-Smirnov distance, or chi-square of a categorical feature.',
    p_value Float64 COMMENT 'Of the test, with effective samples.',
    adjusted_p_value Float64 COMMENT 'p_value after the correction for several features.',
    samples Int64 COMMENT 'Values in the window.',
    effective_samples Float64 COMMENT 'Independent values that the autocorrelated ones are worth.',
    drifted Bool COMMENT 'Whether the policy calls it drift.',
    streak Int64 COMMENT 'Windows in a row in which it was.',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one.',
    INDEX by_end end TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(end)
ORDER BY (model_id, feature, window, end, version, environment, arm)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row a feature of a DriftMeasured, as it lies in Kafka; read it through drift, which gives each once.';
