CREATE OR REPLACE VIEW {database}.open_alerts
(
    alert_id UUID COMMENT 'Which alert.',
    state LowCardinality(String) COMMENT 'open.',
    model_id String COMMENT 'Which model.',
    version String COMMENT 'Which version.',
    environment String COMMENT 'production, staging, …',
    arm String COMMENT 'champion, candidate, …',
    kind LowCardinality(String) COMMENT 'THRESHOLD, NO_DATA, DRIFT or CHANGE_POINT.',
    rule String COMMENT 'Name of the rule.',
    subject String COMMENT 'What it is about: version/environment/arm and more.',
    metric String COMMENT 'Which metric.',
    statistic LowCardinality(String) COMMENT 'What of the metric is compared.',
    window LowCardinality(String) COMMENT 'Length of the window.',
    severity LowCardinality(String) COMMENT 'INFO, WARNING or CRITICAL.',
    opened_at DateTime64(6, 'UTC') COMMENT 'Event time at which the breach began.',
    raised_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Event time at which the alert was raised; null: it never was.',
    resolved_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Event time at which it was over; null: it is not.',
    reason LowCardinality(String) COMMENT 'Why it resolved; empty: it has not.',
    first_value Nullable(Float64) COMMENT 'The value that began it; null: no number.',
    last_value Nullable(Float64) COMMENT 'The newest value; null: no number.',
    threshold Nullable(Float64) COMMENT 'The limit; null: no number.',
    samples Int64 COMMENT 'Values that were judged last.',
    summary String COMMENT 'One sentence for people, the newest.',
    updates UInt64 COMMENT 'How often it was updated while open.',
    acknowledged_by String COMMENT 'Who looks after it, the newest; empty: nobody.',
    acknowledged_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Since when; null: nobody does.',
    silenced Bool COMMENT 'Whether a silence covers it now.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended its newest step.'
)
AS SELECT * FROM {database}.alerts WHERE state = 'open'
COMMENT 'One row an alert that was raised and is not resolved.';
