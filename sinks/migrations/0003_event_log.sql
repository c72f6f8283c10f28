CREATE TABLE IF NOT EXISTS {database}.event_log
(
    topic LowCardinality(String) COMMENT 'Topic, without the prefix of the installation.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 COMMENT 'Offset in the partition.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the event.',
    event_type LowCardinality(String) COMMENT 'Avro record without its namespace: ModelRegistered, RunStarted, TagSet, …',
    event_id UUID COMMENT 'Identity of the fact; a fact that was sent again has the same one, and its first row counts.',
    key String COMMENT 'Key of the Kafka record.',
    payload String CODEC(ZSTD(1)) COMMENT 'The fact as JSON: fields in the order of its schema, bytes as hex digits, times in microseconds.',
    INDEX by_event_id event_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
ORDER BY (topic, event_type, key, appended_at, topic_id, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Every fact that is no measurement, as it lies in Kafka. A row is identified by (topic_id, partition, offset).';
