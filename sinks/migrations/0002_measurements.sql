-- The window only has to reach from a prepared range to its replay: a rebalance, not a history.
CREATE TABLE IF NOT EXISTS {database}.measurement_rows
(
    captured_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When the frame was captured, by the clock of the node.',
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'When Kafka appended the event.',
    node_id LowCardinality(String) COMMENT 'Node that measured.',
    session_id LowCardinality(String) COMMENT 'Video session on that node.',
    frame Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Frame number within the session.',
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    artifact_sha256 LowCardinality(String) COMMENT 'SHA-256 of the model that ran, 64 hex digits.',
    execution_provider LowCardinality(String) COMMENT 'ONNX Runtime provider that ran it.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    sampling_rate Float64 COMMENT 'Share of measurements that are sent, 0 to 1.',
    detect_ms Nullable(Float64) COMMENT 'Latency of detection, ms.',
    mark_ms Nullable(Float64) COMMENT 'Latency of landmarks, ms.',
    align_ms Nullable(Float64) COMMENT 'Latency of alignment, ms.',
    mask_ms Nullable(Float64) COMMENT 'Latency of masking, ms.',
    merge_ms Nullable(Float64) COMMENT 'Latency of merging, ms.',
    output_ms Nullable(Float64) COMMENT 'Latency of output, ms.',
    latency_ms Nullable(Float64) COMMENT 'Latency end to end, ms.',
    fps Nullable(Float64) COMMENT 'Frames a second over the last second.',
    dropped_frames Nullable(Int64) COMMENT 'Frames dropped since the previous measurement.',
    faces Nullable(Int64) COMMENT 'Faces detected.',
    detection_score Nullable(Float64) COMMENT 'Highest detection score, 0 to 1.',
    faces_unmasked Nullable(Int64) COMMENT 'Faces left unmasked.',
    mask_coverage Nullable(Float64) COMMENT 'Share of the frame that is masked, 0 to 1.',
    luma_mean Nullable(Float64) COMMENT 'Mean luma, 0 to 255.',
    luma_std Nullable(Float64) COMMENT 'Standard deviation of luma.',
    laplacian_var Nullable(Float64) COMMENT 'Variance of the Laplacian: sharpness.',
    face_size Nullable(Float64) COMMENT 'Side of the largest face, share of the frame height.',
    extra_names Array(LowCardinality(String)) COMMENT 'Names of extra metrics, declared on the model.',
    extra_values Array(Float64) COMMENT 'Their values, one a name.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 CODEC(Delta, ZSTD(1)) COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the event, 16 bytes.',
    INDEX by_offset offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(appended_at)
ORDER BY (model_id, version, captured_at, node_id, frame)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row a measured inference, as stored; read it through measurements. A row is identified by (topic_id, partition, offset).';
