CREATE OR REPLACE VIEW {database}.alert_silences
(
    model_id String COMMENT 'Which model.',
    rule String COMMENT 'Name of the rule; empty: any.',
    subject String COMMENT 'What alerts are about; empty: anything.',
    starts_at DateTime64(6, 'UTC') COMMENT 'Since when matching alerts are not delivered.',
    ends_at DateTime64(6, 'UTC') COMMENT 'Until when.',
    silenced_by String COMMENT 'Who silenced them.',
    comment String COMMENT 'Why.',
    active Bool COMMENT 'Whether it holds now.',
    set_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended it.',
    event_id UUID COMMENT 'Identity of the fact.'
)
AS SELECT
    JSONExtractString(payload, 'model_id') AS model_id,
    JSONExtractString(payload, 'rule') AS rule,
    JSONExtractString(payload, 'subject') AS subject,
    fromUnixTimestamp64Micro(JSONExtractInt(payload, 'starts_at'), 'UTC') AS starts_at,
    fromUnixTimestamp64Micro(JSONExtractInt(payload, 'ends_at'), 'UTC') AS ends_at,
    JSONExtractString(payload, 'silenced_by') AS silenced_by,
    JSONExtractString(payload, 'comment') AS comment,
    toBool(starts_at <= now64(6) AND now64(6) < ends_at) AS active,
    appended_at AS set_at, event_id
FROM
(
    -- The first row of a fact that was sent again counts.
    SELECT payload, appended_at, event_id
    FROM {database}.event_log
    WHERE topic = 'alerts' AND event_type = 'AlertSilenced'
    ORDER BY appended_at, topic_id, partition, offset
    LIMIT 1 BY event_id
)
COMMENT 'Who silenced which alerts, and for how long.';
