CREATE OR REPLACE VIEW {database}.value_breaches
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    rule LowCardinality(String) COMMENT 'Name of the rule.',
    metric LowCardinality(String) COMMENT 'Which metric.',
    value Float64 COMMENT 'Value that broke the rule.',
    node_id LowCardinality(String) COMMENT 'Node that measured.',
    session_id LowCardinality(String) COMMENT 'Video session on that node.',
    frame Int64 COMMENT 'Frame number within the session.',
    captured_at DateTime64(6, 'UTC') COMMENT 'When the frame was captured, by the clock of the node.',
    measured_at DateTime64(6, 'UTC') COMMENT 'When Kafka appended the measurement.',
    noticed_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the breach.',
    event_id UUID COMMENT 'Identity of the fact.'
)
AS SELECT
    model_id, version, environment, arm, rule, metric, any(b.value) AS value, node_id, session_id, frame,
    any(b.captured_at) AS captured_at, source_appended_at AS measured_at,
    min(b.appended_at) AS noticed_at, toUUID(UUIDNumToString(event_id_bytes)) AS event_id
FROM {database}.value_breach_rows AS b
GROUP BY model_id, version, environment, arm, rule, metric, node_id, session_id, frame, source_appended_at, event_id_bytes
COMMENT 'One row a measurement that broke a rule on single values: the first of a partition in each 10 s.';
