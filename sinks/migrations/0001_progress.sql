-- Where every sink stands: one row for each step of the protocol in projector/protocol.py.
CREATE TABLE IF NOT EXISTS {database}.sink_marks
(
    sink LowCardinality(String) COMMENT 'Sink that wrote the mark.',
    topic LowCardinality(String) COMMENT 'Topic, without the prefix of the installation.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits; a topic that is made again gets another.',
    partition UInt32 COMMENT 'Partition of the topic.',
    epoch UInt64 COMMENT 'Rises by one at every takeover of the partition; the highest (epoch, writer) owns it.',
    writer String COMMENT 'Random id of the process that took the partition over.',
    state Enum8('claimed' = 1, 'prepared' = 2, 'done' = 3) COMMENT 'claimed: taken over; prepared: the range is about to be inserted; done: it is inserted.',
    first_offset UInt64 COMMENT 'First offset of the range; 0 in a claim.',
    end_offset UInt64 COMMENT 'The offset after the range; 0 in a claim.',
    dead_letters UInt64 COMMENT 'Records of the range that became dead letters.',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the mark was written, by the clock of the sink.'
)
ENGINE = ReplacingMergeTree(end_offset)
ORDER BY (sink, topic_id, partition, epoch, writer, state)
COMMENT 'Protocol of the sinks: claims, prepared and finished offset ranges. Of each claim only the newest range is kept; read it through sink_progress.';
