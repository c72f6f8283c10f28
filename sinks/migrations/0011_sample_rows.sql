CREATE TABLE IF NOT EXISTS {database}.sample_rows
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    node_id LowCardinality(String) COMMENT 'Node that measured.',
    session_id LowCardinality(String) COMMENT 'Video session on that node.',
    frame Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Frame number within the session.',
    captured_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When the frame was captured, by the clock of the node.',
    names Array(LowCardinality(String)) COMMENT 'Measures that the sample holds.',
    values Array(Float64) COMMENT 'Measured values, one a name.',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one.'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (model_id, captured_at, node_id, session_id, frame)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row a MeasurementSampled, as it lies in Kafka; read it through truth_samples, which gives each once.';
