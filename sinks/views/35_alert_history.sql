CREATE OR REPLACE VIEW {database}.alert_history
(
    alert_id UUID COMMENT 'Which alert.',
    step LowCardinality(String) COMMENT 'What happened: pending, raised, updated, resolved or acknowledged.',
    occurred_at DateTime64(6, 'UTC') COMMENT 'Event time of the step: the end of the window that was judged.',
    opened_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Event time at which the breach began; null: acknowledged.',
    model_id String COMMENT 'Which model.',
    version Nullable(String) COMMENT 'Which version; null: acknowledged.',
    environment Nullable(String) COMMENT 'production, staging, ; null: acknowledged.',
    arm Nullable(String) COMMENT 'champion, candidate, ; null: acknowledged.',
    kind LowCardinality(Nullable(String)) COMMENT 'THRESHOLD, NO_DATA, DRIFT or CHANGE_POINT; null: acknowledged.',
    rule Nullable(String) COMMENT 'Name of the rule; null: acknowledged.',
    subject Nullable(String) COMMENT 'What it is about: version/environment/arm and more; null: acknowledged.',
    metric Nullable(String) COMMENT 'Which metric; null: acknowledged.',
    statistic LowCardinality(Nullable(String)) COMMENT 'What of the metric is compared; null: acknowledged.',
    window LowCardinality(Nullable(String)) COMMENT 'Length of the window; null: acknowledged.',
    severity LowCardinality(Nullable(String)) COMMENT 'INFO, WARNING or CRITICAL; null: acknowledged.',
    value Nullable(Float64) COMMENT 'The value that was compared; null: acknowledged, or no number.',
    threshold Nullable(Float64) COMMENT 'The limit; null: acknowledged, or no number.',
    samples Nullable(Int64) COMMENT 'Values that were judged; null: acknowledged.',
    summary String COMMENT 'One sentence for people; of an acknowledgement its comment.',
    reason LowCardinality(String) COMMENT 'Why it resolved: RECOVERED, CLEARED_WHILE_PENDING, DATA_RETURNED, RULE_REMOVED; else empty.',
    acknowledged_by String COMMENT 'Who looks after it; else empty.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the step.',
    log_position Tuple(DateTime64(3, 'UTC'), String, UInt32, Int64) COMMENT 'Order of the steps: append time, topic id, partition, offset.',
    event_id UUID COMMENT 'Identity of the fact.'
)
AS SELECT
    toUUID(UUIDNumToString(toFixedString(unhex(fact.alert_id), 16))) AS alert_id,
    lower(substring(event_type, 6)) AS step,
    fromUnixTimestamp64Micro(fact.occurred_at, 'UTC') AS occurred_at,
    fromUnixTimestamp64Micro(fact.opened_at, 'UTC') AS opened_at,
    fact.model_id AS model_id, fact.version AS version, fact.environment AS environment, fact.arm AS arm,
    fact.kind AS kind, fact.rule AS rule, fact.subject AS subject, fact.metric AS metric,
    fact.statistic AS statistic, fact.window AS window, fact.severity AS severity,
    fact.value AS value, fact.threshold AS threshold, fact.samples AS samples,
    if(step = 'acknowledged', fact.comment, fact.summary) AS summary,
    fact.reason AS reason, fact.acknowledged_by AS acknowledged_by,
    appended_at, (appended_at, toString(topic_id), partition, offset) AS log_position, event_id
FROM
(
    -- The first row of a fact that was sent again counts; its JSON is parsed once.
    SELECT
        event_type, appended_at, topic_id, partition, offset, event_id,
        JSONExtract(payload, 'Tuple(
            alert_id String, occurred_at Int64, opened_at Nullable(Int64), model_id String,
            version Nullable(String), environment Nullable(String), arm Nullable(String), kind Nullable(String), rule Nullable(String),
            subject Nullable(String), metric Nullable(String), statistic Nullable(String), window Nullable(String), severity Nullable(String),
            value Nullable(Float64), threshold Nullable(Float64), samples Nullable(Int64), summary String, reason String, acknowledged_by String, comment String
        )') AS fact
    FROM {database}.event_log
    WHERE topic = 'alerts' AND event_type != 'AlertSilenced'
    ORDER BY appended_at, topic_id, partition, offset
    LIMIT 1 BY event_id
)
COMMENT 'Every step of every alert.';
