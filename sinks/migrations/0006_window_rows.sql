CREATE TABLE IF NOT EXISTS {database}.window_rows
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    window LowCardinality(String) COMMENT 'Length of the window: 10s, 1m, 5m, 1h or last_1000.',
    start DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'First microsecond of the window.',
    end DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'End of the window, which it does not include.',
    final Bool COMMENT 'False as decided 1 s after the end, true when later measurements changed it.',
    measurements Int64 COMMENT 'Measurements in the window, with or without this metric.',
    metric LowCardinality(String) COMMENT 'Which metric.',
    count Int64 COMMENT 'Values of the metric.',
    sum_whole Int64 COMMENT 'Sum of the values rounded down.',
    sum_fraction Int64 COMMENT 'Sum of what was rounded off, in units of 2^-40.',
    mean Float64 COMMENT 'Sum over count.',
    min Float64 COMMENT 'Smallest value.',
    max Float64 COMMENT 'Largest value.',
    p50 Float64 COMMENT 'Median, within 1 % of the value.',
    p95 Float64 COMMENT '95th percentile, within 1 % of the value.',
    p99 Float64 COMMENT '99th percentile, within 1 % of the value.',
    bins Array(Int64) CODEC(Delta, ZSTD(1)) COMMENT 'Logarithmic bins that hold values, rising; only of windows of 10 s.',
    counts Array(Int64) CODEC(ZSTD(1)) COMMENT 'Values in each of the bins.',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one.',
    INDEX by_end end TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(end)
ORDER BY (model_id, window, metric, end, version, environment, arm, final)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row a metric of a WindowClosed, as it lies in Kafka; read it through measurement_windows, which gives each window once.';
