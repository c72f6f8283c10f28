CREATE OR REPLACE VIEW {database}.experiment_comparison
(
    experiment_id String COMMENT 'Which experiment; empty for a run whose start is not known.',
    run_id String COMMENT 'Which run.',
    status LowCardinality(String) COMMENT 'RUNNING, LOST, FINISHED, FAILED, KILLED; empty for a run whose start is not known.',
    config_json String COMMENT 'Configuration of the run.',
    name LowCardinality(String) COMMENT 'Which metric.',
    points UInt64 COMMENT 'Logged values.',
    last_step Nullable(Int64) COMMENT 'Highest step; null: only final values.',
    final Float64 COMMENT 'The final value (null step) logged last; without one the value of the highest step, of equal steps the one logged last.',
    minimum Float64 COMMENT 'Smallest value.',
    min_step Nullable(Int64) COMMENT 'First step that had it; null: only a final value had it.',
    maximum Float64 COMMENT 'Largest value.',
    max_step Nullable(Int64) COMMENT 'First step that had it; null: only a final value had it.',
    mean Float64 COMMENT 'Mean value.'
)
AS SELECT
    runs.experiment_id AS experiment_id, metrics.run_id AS run_id, runs.status AS status,
    runs.config_json AS config_json, metrics.name AS name, points, last_step, final, minimum, min_step,
    maximum, max_step, mean
FROM {database}.experiment_metric_summary AS metrics
LEFT JOIN {database}.experiments AS runs ON runs.run_id = metrics.run_id
COMMENT 'One row a run and metric: what there is to compare runs by.';
