-- column name LowCardinality(String): Which metric.
-- column first_step Int64: First step of the range.
-- column last_step Int64: Last step of the range that has a value.
-- column points UInt64: Logged values in the range.
-- column mean Float64: Their mean.
-- column minimum Float64: Smallest of them.
-- column maximum Float64: Largest of them.
CREATE OR REPLACE VIEW {database}.metric_curves
AS WITH
    spans AS
    (
        SELECT name, min(step) AS first, intDiv(max(step) - first, {points:UInt32}) + 1 AS width
        FROM {database}.experiment_metric_points
        WHERE run_id = {run:String} AND step IS NOT NULL
        GROUP BY name
    ),
    ranges AS
    (
        SELECT
            p.name AS name,
            assumeNotNull(first + intDiv(step - first, width) * width) AS first_step,
            max(assumeNotNull(step)) AS last_step, count() AS logged, avg(value) AS plain_mean,
            min(value) AS minimum, max(value) AS maximum,
            -- A hash of the fact, then the value: a fact that was sent again is in it once.
            groupUniqArray(bitShiftLeft(toUInt128(cityHash64(event_id)), 64) + reinterpretAsUInt64(value)) AS distinct_values
        FROM {database}.experiment_metric_points AS p
        INNER JOIN spans ON spans.name = p.name
        WHERE run_id = {run:String} AND step IS NOT NULL
        GROUP BY name, first_step
    )
SELECT
    name, first_step, last_step,
    length(distinct_values) AS points,
    if(points = logged, plain_mean, arrayAvg(each -> reinterpretAsFloat64(toUInt64(each)), distinct_values)) AS mean,
    minimum, maximum
FROM ranges
COMMENT 'How the metrics of a run went, in at most so many points a curve, each for a range of equally many steps: metric_curves(run = ''…'', points = 1000).';
