CREATE TABLE IF NOT EXISTS {database}.experiment_metric_points
(
    run_id String COMMENT 'Which run.',
    name LowCardinality(String) COMMENT 'Which metric.',
    step Nullable(Int64) COMMENT 'Step, 0 or more; null: a final metric.',
    value Float64 COMMENT 'Value, finite.',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it was logged, by the clock of the run.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the event.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 COMMENT 'Offset in the partition.',
    point UInt32 COMMENT 'Position of the point within its event, from 0.',
    event_id UUID COMMENT 'Identity of the MetricsLogged that holds the point.'
)
ENGINE = MergeTree
ORDER BY (run_id, name, appended_at, topic_id, partition, offset, point)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row a logged metric value, as it lies in Kafka; read it through experiment_metrics, which counts facts that were sent again once.';
