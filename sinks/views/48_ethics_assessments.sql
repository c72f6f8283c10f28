CREATE OR REPLACE VIEW {database}.ethics_assessments
(
    request_id String COMMENT 'event_id of the request, 32 hex digits.',
    model_id String COMMENT 'Which model.',
    version String COMMENT 'Which version.',
    status LowCardinality(String) COMMENT 'requested, assessed or refused.',
    requested_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the request.',
    answered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When Kafka appended the answer; null: there is none yet.',
    requested_by String COMMENT 'Who asked for it.',
    request_reason String COMMENT 'Why it was asked for, in words.',
    data_uri String COMMENT 'Evaluation data in the artifact store.',
    data_sha256 String COMMENT 'SHA-256 of that file, 64 hex digits.',
    settings_json String COMMENT 'Columns, sensitive attributes and policy, a JSON object.',
    rows Nullable(Int64) COMMENT 'Rows of the data; null: not assessed.',
    bias_risk LowCardinality(String) COMMENT 'LOW, MEDIUM, HIGH or NOT_JUDGED; empty: not assessed.',
    privacy_risk LowCardinality(String) COMMENT 'LOW, MEDIUM, HIGH or NOT_JUDGED; empty: not assessed.',
    transparency_score Nullable(Float64) COMMENT 'From 0 to 1; null: not assessed.',
    bias_score Nullable(Float64) COMMENT 'The surest difference between groups, see the report; null: not judged.',
    overall_fairness Nullable(Float64) COMMENT 'The surest ratio of selection rates, see the report; null: not judged.',
    recommendations Array(Tuple(rule String, text String, cites String, value Float64, threshold Float64)) COMMENT 'What to do, each with the number in the report that says so.',
    not_judged Array(String) COMMENT 'What could not be judged, and why, a sentence each.',
    refusal_reason LowCardinality(String) COMMENT 'Why it was refused; empty: it was not.',
    refusal_detail String COMMENT 'What is wrong and what to do; empty: it was not refused.',
    report_json String COMMENT 'Every number with its interval, definition and source, a JSON object; empty: not assessed.',
    partition UInt32 COMMENT 'Partition of the answer, or of the request where there is none.',
    offset Int64 COMMENT 'Its offset there.'
)
AS WITH
    facts AS
    (
        -- The first row of a fact that was sent again counts.
        SELECT event_type, event_id, payload, appended_at, topic_id, partition, offset
        FROM {database}.event_log
        WHERE topic = 'ethics' AND event_type IN ('AssessmentRequested', 'EthicsAssessed', 'AssessmentRefused')
        ORDER BY appended_at, topic_id, partition, offset
        LIMIT 1 BY event_id
    ),
    requests AS
    (
        SELECT
            lower(JSONExtractString(payload, 'event_id')) AS id, payload AS request,
            appended_at AS asked_at, facts.partition AS request_partition, facts.offset AS request_offset
        FROM facts
        WHERE event_type = 'AssessmentRequested'
    ),
    answers AS
    (
        SELECT
            lower(JSONExtractString(payload, 'request_id')) AS about,
            argMin((event_type, payload, appended_at, facts.partition, facts.offset), (appended_at, topic_id, partition, offset)) AS first
        FROM facts
        WHERE event_type != 'AssessmentRequested'
        GROUP BY about
    )
SELECT
    id AS request_id,
    JSONExtractString(request, 'model_id') AS model_id,
    JSONExtractString(request, 'version') AS version,
    multiIf(first.1 = 'EthicsAssessed', 'assessed', first.1 = 'AssessmentRefused', 'refused', 'requested') AS status,
    asked_at AS requested_at,
    if(status = 'requested', NULL, first.3) AS answered_at,
    JSONExtractString(request, 'requested_by') AS requested_by,
    JSONExtractString(request, 'reason') AS request_reason,
    JSONExtractString(request, 'data_uri') AS data_uri,
    lower(JSONExtractString(request, 'data_sha256')) AS data_sha256,
    JSONExtractString(request, 'settings_json') AS settings_json,
    if(status = 'assessed', JSONExtractInt(first.2, 'rows'), NULL) AS rows,
    JSONExtractString(first.2, 'bias_risk') AS bias_risk,
    JSONExtractString(first.2, 'privacy_risk') AS privacy_risk,
    if(status = 'assessed', JSONExtractFloat(first.2, 'transparency_score'), NULL) AS transparency_score,
    JSONExtract(JSONExtractString(first.2, 'report_json'), 'bias', 'score', 'value', 'Nullable(Float64)') AS bias_score,
    JSONExtract(JSONExtractString(first.2, 'report_json'), 'bias', 'overall_fairness', 'value', 'Nullable(Float64)') AS overall_fairness,
    JSONExtract(first.2, 'recommendations', 'Array(Tuple(rule String, text String, cites String, value Float64, threshold Float64))') AS recommendations,
    JSONExtract(first.2, 'not_judged', 'Array(String)') AS not_judged,
    if(status = 'refused', JSONExtractString(first.2, 'reason'), '') AS refusal_reason,
    if(status = 'refused', JSONExtractString(first.2, 'detail'), '') AS refusal_detail,
    JSONExtractString(first.2, 'report_json') AS report_json,
    if(status = 'requested', request_partition, first.4) AS partition,
    if(status = 'requested', request_offset, first.5) AS offset
FROM requests
LEFT JOIN answers ON id = about
COMMENT 'Every assessment that was asked for, and what came of it.';
