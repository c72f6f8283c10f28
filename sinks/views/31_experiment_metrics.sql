CREATE OR REPLACE VIEW {database}.experiment_metrics
(
    run_id String COMMENT 'Which run.',
    name LowCardinality(String) COMMENT 'Which metric.',
    step Nullable(Int64) COMMENT 'Step, 0 or more; null: a final metric.',
    value Float64 COMMENT 'Value, finite.',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it was logged, by the clock of the run.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended it.',
    event_id UUID COMMENT 'Identity of the MetricsLogged that holds it.',
    point UInt32 COMMENT 'Position within that event, from 0.',
    log_position Tuple(DateTime64(3, 'UTC'), String, UInt32, Int64, UInt32) COMMENT 'Order of logging: append time, topic id, partition, offset, point.'
)
AS SELECT
    run_id, name,
    -- The first row of a fact that was sent again counts; its rows hold the same values.
    any(p.step) AS step,
    any(p.value) AS value,
    any(p.occurred_at) AS occurred_at,
    min(p.appended_at) AS appended_at,
    event_id, point,
    min((p.appended_at, toString(topic_id), partition, offset, point)) AS log_position
FROM {database}.experiment_metric_points AS p
GROUP BY run_id, name, event_id, point
COMMENT 'Every logged metric value, once.';
