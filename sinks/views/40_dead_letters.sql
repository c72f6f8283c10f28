CREATE OR REPLACE VIEW {database}.dead_letters
(
    event_id UUID COMMENT 'Identity of the dead letter.',
    reason LowCardinality(String) COMMENT 'Kind of failure: UNDECODABLE, UNKNOWN_SCHEMA_ID, UNEXPECTED_RECORD, INVALID_FACT, NON_FINITE, UNDECLARED_METRIC, CAPTURED_IN_FUTURE.',
    detail String COMMENT 'What is wrong, in words.',
    topic LowCardinality(String) COMMENT 'Full name of the topic that the record lies in.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of that topic, 32 hex digits.',
    partition UInt32 COMMENT 'Its partition.',
    offset Int64 COMMENT 'Its offset.',
    appended_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended the record.',
    consumer LowCardinality(String) COMMENT 'Who could not read it.',
    key_hex Nullable(String) COMMENT 'Key of the record, hex digits.',
    value_hex Nullable(String) COMMENT 'Value of the record, hex digits, cut at 256 KiB.',
    value_size Int64 COMMENT 'Size of the whole value, bytes.'
)
AS SELECT
    event_id, reason, detail, source_topic AS topic, source_topic_id AS topic_id,
    source_partition AS partition, source_offset AS offset, source_appended_at AS appended_at,
    consumer, lower(hex(key)) AS key_hex, lower(hex(value)) AS value_hex, value_size
FROM
(
    SELECT
        event_id, reason, detail, source_topic, source_topic_id, source_partition,
        source_offset, source_appended_at, consumer, key, value, value_size
    FROM {database}.dead_letter_rows
    -- A letter that was sent again counts once, at its first place.
    ORDER BY appended_at, dead_letter_rows.topic_id, dead_letter_rows.partition, dead_letter_rows.offset
    LIMIT 1 BY event_id
)
COMMENT 'Every record that could not become a fact, with its reason and bytes.';
