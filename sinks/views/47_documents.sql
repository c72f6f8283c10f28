CREATE OR REPLACE VIEW {database}.documents
(
    subject String COMMENT 'model_id of a card; run_id or experiment_id of a report.',
    kind LowCardinality(String) COMMENT 'MODEL_CARD or EXPERIMENT_REPORT.',
    version Nullable(String) COMMENT 'Version of the model; null for a report.',
    status LowCardinality(String) COMMENT 'REQUESTED, GENERATED, REFUSED, or SUPERSEDED: an automatic request before a newer one for the same document, which tells of its moment too.',
    as_of Nullable(DateTime64(6, 'UTC')) COMMENT 'Moment of the log that it tells of.',
    trigger String COMMENT 'Who asked, or `automatic` and the record that called for it.',
    markdown_uri String COMMENT 'Markdown in the artifact store.',
    html_uri String COMMENT 'HTML in the artifact store.',
    markdown_sha256 String COMMENT 'SHA-256 of the Markdown, 64 hex digits.',
    citations UInt64 COMMENT 'Numbers in it that cite an event.',
    sections Array(String) COMMENT 'Sections that have content.',
    detail String COMMENT 'Why it was refused, or which request came later; empty otherwise.',
    requested_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the request.',
    answered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When Kafka appended the answer; null: there is none yet.',
    request_id UUID COMMENT 'Identity of the DocumentRequested.'
)
AS WITH
    facts AS
    (
        -- The first row of a fact that was sent again counts.
        SELECT event_id, any(e.event_type) AS event_type, argMin(payload, (appended_at, topic_id, partition, offset)) AS body, min(appended_at) AS at
        FROM {database}.event_log AS e
        WHERE topic = 'documents'
        GROUP BY event_id
    ),
    answers AS
    (
        SELECT
            lower(JSONExtractString(body, 'request_id')) AS request,
            argMin(event_type, at) AS outcome, argMin(body, at) AS answer, min(at) AS answered
        FROM facts
        WHERE event_type IN ('DocumentGenerated', 'DocumentRefused')
        GROUP BY request
    )
SELECT
    JSONExtractString(f.body, 'subject') AS subject,
    JSONExtractString(f.body, 'kind') AS kind,
    if(a.outcome = 'DocumentGenerated', JSONExtract(a.answer, 'version', 'Nullable(String)'), JSONExtract(f.body, 'version', 'Nullable(String)')) AS version,
    multiIf(
        a.outcome = 'DocumentGenerated', 'GENERATED',
        a.outcome = 'DocumentRefused' AND startsWith(JSONExtractString(f.body, 'requested_by'), 'automatic ')
            AND startsWith(JSONExtractString(a.answer, 'detail'), 'superseded by '), 'SUPERSEDED',
        a.outcome = 'DocumentRefused', 'REFUSED',
        'REQUESTED'
    ) AS status,
    if(a.outcome = 'DocumentGenerated', fromUnixTimestamp64Micro(JSONExtractInt(a.answer, 'as_of'), 'UTC'), NULL) AS as_of,
    JSONExtractString(f.body, 'requested_by') AS trigger,
    JSONExtractString(a.answer, 'markdown_uri') AS markdown_uri,
    JSONExtractString(a.answer, 'html_uri') AS html_uri,
    lower(JSONExtractString(a.answer, 'markdown_sha256')) AS markdown_sha256,
    JSONExtractUInt(a.answer, 'citations') AS citations,
    JSONExtract(a.answer, 'sections', 'Array(String)') AS sections,
    JSONExtractString(a.answer, 'detail') AS detail,
    f.at AS requested_at,
    if(a.request = '', NULL, a.answered) AS answered_at,
    f.event_id AS request_id
FROM facts AS f
LEFT JOIN answers AS a ON a.request = lower(replaceAll(toString(f.event_id), '-', ''))
WHERE f.event_type = 'DocumentRequested'
COMMENT 'Every document that was asked for: what it tells of, where it lies, or why there is none.';
