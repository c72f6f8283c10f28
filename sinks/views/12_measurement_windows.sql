CREATE OR REPLACE VIEW {database}.measurement_windows
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    window LowCardinality(String) COMMENT 'Length of the window: 10s, 1m, 5m, 1h or last_1000.',
    start DateTime64(6, 'UTC') COMMENT 'First microsecond of the window; of last_1000, when its oldest measurement was appended.',
    end DateTime64(6, 'UTC') COMMENT 'End of the window, which it does not include.',
    metric LowCardinality(String) COMMENT 'Which metric.',
    final Bool COMMENT 'False as decided 1 s after the end, true when measurements that came later changed it.',
    measurements Int64 COMMENT 'Measurements in the window, with or without this metric.',
    count Int64 COMMENT 'Values of the metric.',
    mean Float64 COMMENT 'Mean of the values.',
    min Float64 COMMENT 'Smallest value.',
    max Float64 COMMENT 'Largest value.',
    p50 Float64 COMMENT 'Median, within 1 % of the value.',
    p95 Float64 COMMENT '95th percentile, within 1 % of the value.',
    p99 Float64 COMMENT '99th percentile, within 1 % of the value.',
    sum_whole Int64 COMMENT 'Sum of the values rounded down.',
    sum_fraction Int64 COMMENT 'Sum of what was rounded off, in units of 2^-40.',
    bins Array(Int64) COMMENT 'Logarithmic bins that hold values, rising; only of windows of 10 s.',
    counts Array(Int64) COMMENT 'Values in each of the bins.',
    decided_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the window first.'
)
AS SELECT
    model_id, version, environment, arm, window,
    argMax(w.start, w.final) AS start,
    end, metric,
    max(w.final) AS final,
    argMax(w.measurements, w.final) AS measurements,
    argMax(w.count, w.final) AS count,
    argMax(w.mean, w.final) AS mean,
    argMax(w.min, w.final) AS min,
    argMax(w.max, w.final) AS max,
    argMax(w.p50, w.final) AS p50,
    argMax(w.p95, w.final) AS p95,
    argMax(w.p99, w.final) AS p99,
    argMax(w.sum_whole, w.final) AS sum_whole,
    argMax(w.sum_fraction, w.final) AS sum_fraction,
    argMax(w.bins, w.final) AS bins,
    argMax(w.counts, w.final) AS counts,
    min(w.appended_at) AS decided_at
FROM {database}.window_rows AS w
GROUP BY model_id, version, environment, arm, window, end, metric
COMMENT 'One row a series, window, end and metric: the final content where there is one, else what rules were judged by.';
