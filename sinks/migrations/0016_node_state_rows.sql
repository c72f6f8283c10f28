CREATE TABLE IF NOT EXISTS {database}.node_state_rows
(
    node_id String COMMENT 'Which node.',
    event_type LowCardinality(String) COMMENT 'NodeReported or NodeStopped.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    heartbeat_s Float64 COMMENT 'NodeReported: longest time until it reports again, s.',
    serves Array(Tuple(model_id String, revision Int64, arm String, version String, artifact_sha256 String)) COMMENT 'NodeReported: every arm that the node serves; SHA-256 in 64 hex digits.',
    failing Array(String) COMMENT 'NodeReported: model and version, separated by a space, of what it was told to run and could not load.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the fact.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 COMMENT 'Offset in the partition.',
    position UInt64 MATERIALIZED bitOr(bitShiftLeft(toUInt64(toUnixTimestamp64Milli(appended_at)), 20), bitAnd(toUInt64(offset), 1048575)) COMMENT 'Order of the facts of a node: append time, then offset.'
)
ENGINE = ReplacingMergeTree(position)
ORDER BY node_id
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'The newest state of each node; of a heartbeat every few seconds the older ones are merged away. Read it through nodes and node_models.';
