CREATE TABLE IF NOT EXISTS {database}.run_seen_rows
(
    run_id String COMMENT 'Which run.',
    seen_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'When Kafka appended its newest fact, heartbeats and metrics included.'
)
ENGINE = AggregatingMergeTree
ORDER BY run_id
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'When each run gave its last sign of life; the newest of its rows counts. Read it through experiments.';
