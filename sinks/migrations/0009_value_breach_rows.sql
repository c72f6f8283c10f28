CREATE TABLE IF NOT EXISTS {database}.value_breach_rows
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    rule LowCardinality(String) COMMENT 'Name of the rule.',
    metric LowCardinality(String) COMMENT 'Which metric.',
    value Float64 COMMENT 'Value that broke the rule.',
    node_id LowCardinality(String) COMMENT 'Node that measured.',
    session_id LowCardinality(String) COMMENT 'Video session on that node.',
    frame Int64 COMMENT 'Frame number within the session.',
    captured_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When the frame was captured, by the clock of the node.',
    source_partition UInt32 COMMENT 'Partition of the inference topic that holds the measurement.',
    source_offset Int64 COMMENT 'Offset of the measurement.',
    source_appended_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When Kafka appended the measurement.',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one.'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(source_appended_at)
ORDER BY (model_id, rule, source_appended_at, version, environment, arm)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row a ValueBreached, as it lies in Kafka; read it through value_breaches, which gives each once.';
