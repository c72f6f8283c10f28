CREATE TABLE IF NOT EXISTS {database}.dead_letter_rows
(
    event_id UUID COMMENT 'Identity of the dead letter: derived from what could not be read, so that a replay keeps it.',
    reason LowCardinality(String) COMMENT 'Kind of failure, as in the schema of DeadLetter.',
    detail String COMMENT 'What is wrong, in words.',
    source_topic LowCardinality(String) COMMENT 'Full name of the topic that the record lies in.',
    source_topic_id LowCardinality(String) COMMENT 'Kafka id of that topic, 32 hex digits.',
    source_partition UInt32 COMMENT 'Its partition.',
    source_offset Int64 COMMENT 'Its offset.',
    source_appended_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended the record.',
    consumer LowCardinality(String) COMMENT 'Who could not read it.',
    key Nullable(String) COMMENT 'Key of the record, its bytes.',
    value Nullable(String) CODEC(ZSTD(1)) COMMENT 'Value of the record, its bytes, cut at 256 KiB.',
    value_size Int64 COMMENT 'Size of the whole value.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the dead-letter topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the dead-letter topic.',
    offset Int64 COMMENT 'Offset in that partition.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the dead letter.'
)
ENGINE = MergeTree
ORDER BY (source_topic, reason, source_partition, source_offset, appended_at)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every dead letter, as it lies in Kafka; read it through dead_letters, which counts letters that were sent again once.';
