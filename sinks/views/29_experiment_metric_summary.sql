CREATE OR REPLACE VIEW {database}.experiment_metric_summary
(
    run_id String COMMENT 'Which run.',
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
AS WITH
    -- Whole numbers in the order of the values: with the step they are one number to compare.
    points AS
    (
        SELECT
            run_id, name, step, value,
            reinterpretAsInt64(value + 0) AS bits,
            bitShiftLeft(toInt128(if(bits < 0, bitXor(bits, 9223372036854775807), bits)), 64) AS by_value,
            ifNull(step, 9223372036854775807) AS step_or_end,
            bitShiftLeft(toUInt256(step_or_end), 128)
                + bitShiftLeft(toUInt128(toUnixTimestamp64Milli(appended_at)), 64) + offset AS by_step
        FROM {database}.experiment_metric_points
    ),
    summed AS
    (
        SELECT
            run_id, name,
            count() AS logged,
            max(step) AS last_step,
            argMax(value, by_step) AS final,
            min(value) AS minimum,
            nullIf(argMin(step_or_end, by_value + step_or_end), 9223372036854775807) AS min_step,
            max(value) AS maximum,
            nullIf(argMax(step_or_end, by_value - step_or_end), 9223372036854775807) AS max_step,
            avg(value) AS plain_mean
        FROM points
        GROUP BY run_id, name
    ),
    -- Counting each fact once is dear, and a fact that was sent again changes only how many values
    -- there are and their mean: it is done for runs that have one.
    repeating AS
    (
        SELECT run_id
        FROM {database}.experiment_metric_points
        WHERE point = 0
        GROUP BY run_id
        HAVING count() > uniqExact(cityHash64(event_id))
    ),
    counted_once AS
    (
        SELECT run_id, name, count() AS points, avg(value) AS mean
        FROM
        (
            SELECT p.run_id AS run_id, p.name AS name, any(p.value) AS value
            FROM {database}.experiment_metric_points AS p
            INNER JOIN repeating ON repeating.run_id = p.run_id
            GROUP BY p.run_id, p.name, p.event_id
        )
        GROUP BY run_id, name
    )
SELECT
    summed.run_id AS run_id, summed.name AS name,
    if(counted_once.points > 0, counted_once.points, logged) AS points,
    last_step, final, minimum, min_step, maximum, max_step,
    if(counted_once.points > 0, counted_once.mean, plain_mean) AS mean
FROM summed
LEFT JOIN counted_once ON counted_once.run_id = summed.run_id AND counted_once.name = summed.name
COMMENT 'One row a run and metric: its values in numbers, each logged fact counted once.';
