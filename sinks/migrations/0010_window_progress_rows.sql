-- Every partition of windows is told the same of every source partition: one copy is enough.
CREATE TABLE IF NOT EXISTS {database}.window_progress_rows
(
    source_partition UInt32 COMMENT 'Partition of the inference topic.',
    source_partitions UInt32 COMMENT 'How many partitions the inference topic has.',
    advanced_to DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Append time up to which everything was taken.',
    measurements Int64 COMMENT 'Measurements taken in this step.',
    late Int64 COMMENT 'Measurements appended more than 10 s after their capture: no window holds them.',
    refused Int64 COMMENT 'Records that are no valid measurement.',
    out_of_range Int64 COMMENT 'Values of 2^42 or more, which no window takes.',
    truths Int64 COMMENT 'Ground truths that met their sample.',
    unmatched_truths Int64 COMMENT 'Ground truths without a sample.',
    evicted_samples Int64 COMMENT 'Samples dropped without a ground truth because the newest took their place.',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one.'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(advanced_to)
ORDER BY (source_partition, advanced_to)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row a PartitionAdvanced in partition 0 of windows, as it lies in Kafka; read it through window_progress.';
