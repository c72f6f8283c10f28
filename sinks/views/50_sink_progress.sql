CREATE OR REPLACE VIEW {database}.sink_progress
(
    sink LowCardinality(String) COMMENT 'Which sink.',
    topic LowCardinality(String) COMMENT 'Topic, without the prefix of the installation.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    next_offset UInt64 COMMENT 'Everything before this offset is in the tables.',
    prepared_end_offset UInt64 COMMENT 'End of the range that was prepared last; above next_offset it is being inserted.',
    epoch UInt64 COMMENT 'How often the partition was taken over.',
    dead_letters UInt64 COMMENT 'Dead letters of the range that was finished last.',
    updated_at DateTime64(6, 'UTC') COMMENT 'When the sink last wrote down progress.'
)
AS SELECT
    sink, any(m.topic) AS topic, topic_id, partition,
    maxIf(end_offset, state = 'done') AS next_offset,
    argMaxIf(end_offset, (m.epoch, writer, end_offset), state = 'prepared') AS prepared_end_offset,
    max(m.epoch) AS epoch,
    argMaxIf(m.dead_letters, end_offset, state = 'done') AS dead_letters,
    max(recorded_at) AS updated_at
FROM {database}.sink_marks AS m
GROUP BY sink, topic_id, partition
COMMENT 'How far every sink has come in every partition.';
