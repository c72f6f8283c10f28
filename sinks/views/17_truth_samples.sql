CREATE OR REPLACE VIEW {database}.truth_samples
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    node_id LowCardinality(String) COMMENT 'Node that measured.',
    session_id LowCardinality(String) COMMENT 'Video session on that node.',
    frame Int64 COMMENT 'Frame number within the session.',
    captured_at DateTime64(6, 'UTC') COMMENT 'When the frame was captured, by the clock of the node.',
    names Array(String) COMMENT 'Measures that the sample holds.',
    values Array(Float64) COMMENT 'Measured values, one a name.',
    sampled_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the sample.',
    has_truth Bool COMMENT 'Whether the ground truth of the frame is known; false: it waits to be labelled.',
    truth_names Array(String) COMMENT 'Measures whose truth is known.',
    truth_values Array(Float64) COMMENT 'What was really there, one a name.',
    truth_source String COMMENT 'Who or what said so.',
    truth_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When Kafka appended the ground truth; null: there is none.',
    event_id UUID COMMENT 'Identity of the fact.'
)
AS WITH
    truths AS
    (
        -- The first ground truth of a frame counts.
        SELECT
            JSONExtractString(payload, 'model_id') AS model,
            JSONExtractString(payload, 'node_id') AS node,
            JSONExtractString(payload, 'session_id') AS session,
            JSONExtractInt(payload, 'frame') AS number,
            argMin(payload, (appended_at, topic_id, partition, offset)) AS body,
            min(appended_at) AS at
        FROM {database}.event_log
        WHERE topic = 'inference' AND event_type = 'GroundTruthObserved'
        GROUP BY model, node, session, number
    ),
    samples AS
    (
        SELECT
            model_id, version, environment, arm, node_id, session_id, frame, captured_at,
            any(r.names) AS names, any(r.values) AS values,
            min(r.appended_at) AS sampled_at, event_id_bytes
        FROM {database}.sample_rows AS r
        GROUP BY model_id, version, environment, arm, node_id, session_id, frame, captured_at, event_id_bytes
    )
SELECT
    s.model_id AS model_id, s.version AS version, s.environment AS environment, s.arm AS arm,
    s.node_id AS node_id, s.session_id AS session_id, s.frame AS frame, s.captured_at AS captured_at,
    s.names AS names, s.values AS values, s.sampled_at AS sampled_at,
    toBool(truths.body != '') AS has_truth,
    JSONExtract(truths.body, 'names', 'Array(String)') AS truth_names,
    JSONExtract(truths.body, 'values', 'Array(Float64)') AS truth_values,
    JSONExtractString(truths.body, 'source') AS truth_source,
    if(has_truth, truths.at, NULL) AS truth_at,
    toUUID(UUIDNumToString(s.event_id_bytes)) AS event_id
FROM samples AS s
LEFT JOIN truths
    ON truths.model = s.model_id AND truths.node = s.node_id
    AND truths.session = s.session_id AND truths.number = s.frame
COMMENT 'One row a measurement that was kept to be compared with its ground truth.';
