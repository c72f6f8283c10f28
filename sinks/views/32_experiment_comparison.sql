CREATE OR REPLACE VIEW {database}.experiment_comparison
(
    experiment_id String COMMENT 'Which experiment; empty for a run whose start is not known.',
    run_id String COMMENT 'Which run.',
    status LowCardinality(String) COMMENT 'RUNNING, FINISHED, FAILED, KILLED; empty for a run whose start is not known.',
    config_json String COMMENT 'Configuration of the run.',
    name LowCardinality(String) COMMENT 'Which metric.',
    points UInt64 COMMENT 'Logged values.',
    last_step Nullable(Int64) COMMENT 'Highest step; null: only final values.',
    final Float64 COMMENT 'The final value (null step) logged last; without one the value of the highest step, of equal steps the one logged last.',
    minimum Float64 COMMENT 'Smallest value.',
    maximum Float64 COMMENT 'Largest value.',
    mean Float64 COMMENT 'Mean value.'
)
AS SELECT
    runs.experiment_id AS experiment_id, summed.run_id AS run_id, runs.status AS status,
    runs.config_json AS config_json, summed.name AS name, points, last_step, final, minimum, maximum, mean
FROM
(
    SELECT
        run_id, name,
        count() AS points,
        max(step) AS last_step,
        argMax(value, (step IS NULL, ifNull(step, 0), log_position)) AS final,
        min(value) AS minimum,
        max(value) AS maximum,
        avg(value) AS mean
    FROM {database}.experiment_metrics
    GROUP BY run_id, name
) AS summed
LEFT JOIN {database}.experiments AS runs ON runs.run_id = summed.run_id
COMMENT 'One row a run and metric: what there is to compare runs by.';
