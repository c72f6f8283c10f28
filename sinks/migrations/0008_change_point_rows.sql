CREATE TABLE IF NOT EXISTS {database}.change_point_rows
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    metric LowCardinality(String) COMMENT 'Which metric.',
    end DateTime64(6, 'UTC') COMMENT 'End of the window at which the change was noticed.',
    mean_before Float64 COMMENT 'Mean before the change.',
    mean_after Float64 COMMENT 'Mean since the change.',
    worse Bool COMMENT 'Whether the metric changed for the worse.',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one.'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(end)
ORDER BY (model_id, metric, end, version, environment, arm)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row a ChangePointDetected, as it lies in Kafka; read it through change_points, which gives each once.';
