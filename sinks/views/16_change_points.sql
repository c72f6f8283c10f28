CREATE OR REPLACE VIEW {database}.change_points
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    metric LowCardinality(String) COMMENT 'Which metric.',
    end DateTime64(6, 'UTC') COMMENT 'End of the window at which the change was noticed.',
    mean_before Float64 COMMENT 'Mean before the change.',
    mean_after Float64 COMMENT 'Mean since the change.',
    worse Bool COMMENT 'Whether the metric changed for the worse.',
    detected_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the fact.',
    event_id UUID COMMENT 'Identity of the fact.'
)
AS SELECT
    model_id, version, environment, arm, metric, end,
    any(c.mean_before) AS mean_before, any(c.mean_after) AS mean_after, any(c.worse) AS worse,
    min(c.appended_at) AS detected_at, toUUID(UUIDNumToString(event_id_bytes)) AS event_id
FROM {database}.change_point_rows AS c
GROUP BY model_id, version, environment, arm, metric, end, event_id_bytes
COMMENT 'One row a change of the mean of a metric.';
