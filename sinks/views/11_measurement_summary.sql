CREATE OR REPLACE VIEW {database}.measurement_summary
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Which version.',
    node_id LowCardinality(String) COMMENT 'Which node.',
    measurements UInt64 COMMENT 'Measured inferences.',
    late UInt64 COMMENT 'Those appended more than 10 s after they were captured.',
    first_captured_at DateTime64(6, 'UTC') COMMENT 'When the first frame was captured.',
    last_captured_at DateTime64(6, 'UTC') COMMENT 'When the last frame was captured.',
    latency_p50_ms Nullable(Float64) COMMENT 'Exact median of latency_ms.',
    latency_p95_ms Nullable(Float64) COMMENT 'Exact 95th percentile of latency_ms.',
    latency_p99_ms Nullable(Float64) COMMENT 'Exact 99th percentile of latency_ms.',
    fps_mean Nullable(Float64) COMMENT 'Mean of fps.',
    dropped_frames Nullable(Int64) COMMENT 'Sum of dropped frames.',
    detection_score_mean Nullable(Float64) COMMENT 'Mean of the highest detection scores.',
    faces_unmasked Nullable(Int64) COMMENT 'Sum of faces left unmasked.',
    luma_mean Nullable(Float64) COMMENT 'Mean of the mean luma.'
)
AS SELECT
    model_id, version, node_id,
    count() AS measurements,
    countIf(is_late) AS late,
    min(captured_at) AS first_captured_at,
    max(captured_at) AS last_captured_at,
    quantileExactInclusiveOrNull(0.5)(latency_ms) AS latency_p50_ms,
    quantileExactInclusiveOrNull(0.95)(latency_ms) AS latency_p95_ms,
    quantileExactInclusiveOrNull(0.99)(latency_ms) AS latency_p99_ms,
    avg(fps) AS fps_mean,
    sum(m.dropped_frames) AS dropped_frames,
    avg(detection_score) AS detection_score_mean,
    sum(m.faces_unmasked) AS faces_unmasked,
    avg(m.luma_mean) AS luma_mean
FROM {database}.measurements AS m
GROUP BY model_id, version, node_id
COMMENT 'Measurements of each model, version and node: counts, latency percentiles, quality. Exact over all rows: bound captured_at on measurements where there are many.';
