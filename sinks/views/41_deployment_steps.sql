CREATE OR REPLACE VIEW {database}.deployment_steps
(
    deployment_id UUID COMMENT 'Which deployment.',
    model_id String COMMENT 'Which model.',
    version String COMMENT 'Version that is deployed.',
    environment String COMMENT 'production, staging, …',
    number Int64 COMMENT 'Number of the step in its deployment.',
    step String COMMENT 'VALIDATION, PERFORMANCE, DATA_QUALITY, ETHICS, STAGING, AB_TEST or PRODUCTION.',
    verdict String COMMENT 'PASSED, FAILED, INCONCLUSIVE, ABORTED or SKIPPED; empty: it has not ended, or its deployment ended before it.',
    reason String COMMENT 'Why the verdict is what it is, in one sentence.',
    share Nullable(Float64) COMMENT 'Traffic of the candidate while the step runs, 0 to 1; null: the step does not change it.',
    baseline_version Nullable(String) COMMENT 'Version that it is compared with; null: none.',
    trial_metrics Array(String) COMMENT 'Metrics that the trial of the step measures; empty: it has no trial.',
    evidence_json String COMMENT 'All that the verdict rests on, a JSON object; empty: no verdict.',
    started_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it began.',
    deadline_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ends at the latest.',
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ended; null: no verdict.',
    duration_s Nullable(Float64) COMMENT 'Seconds from its beginning to its end; null: no verdict.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended its newest fact.'
)
AS SELECT
    toUUID(UUIDNumToString(toFixedString(unhex(r.deployment_id), 16))) AS deployment_id,
    argMin(toString(r.model_id), at) AS model_id,
    argMin(toString(r.version), at) AS version,
    argMin(toString(r.environment), at) AS environment,
    assumeNotNull(r.number) AS number,
    argMin(toString(r.step), at) AS step,
    argMinIf(toString(r.verdict), at, is_end) AS verdict,
    argMinIf(r.reason, at, is_end) AS reason,
    argMinIf(tuple(if(r.share < 0, NULL, r.share / 10000)), at, NOT is_end).1 AS share,
    argMinIf(tuple(r.other_version), at, NOT is_end).1 AS baseline_version,
    argMinIf(r.trial_metrics, at, NOT is_end) AS trial_metrics,
    argMinIf(r.evidence_json, at, is_end) AS evidence_json,
    argMin(tuple(if(is_end, r.started_at, r.occurred_at)), at).1 AS started_at,
    argMinIf(tuple(r.deadline_at), at, NOT is_end).1 AS deadline_at,
    minOrNullIf(r.occurred_at, is_end) AS ended_at,
    dateDiff('microsecond', started_at, ended_at) / 1e6 AS duration_s,
    max(r.appended_at) AS appended_at
FROM
(
    SELECT *, event_type = 'StepCompleted' AS is_end, (appended_at, topic_id, partition, offset) AS at
    FROM {database}.deployment_rows
    WHERE event_type IN ('StepStarted', 'StepCompleted')
) AS r
GROUP BY r.deployment_id, r.number
COMMENT 'Every step of every deployment, with its verdict and the evidence for it.';
