CREATE OR REPLACE VIEW {database}.deployments
(
    deployment_id UUID COMMENT 'Which deployment: event_id of its request.',
    model_id String COMMENT 'Which model.',
    version String COMMENT 'Version that is deployed.',
    environment String COMMENT 'production, staging, …',
    status LowCardinality(String) COMMENT 'QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, ROLLED_BACK or REFUSED.',
    step String COMMENT 'Step that it is in, or was in when it ended; empty: none began.',
    step_number Nullable(Int64) COMMENT 'Number of that step; null: none began.',
    reason String COMMENT 'Why it ended as it did, in words; empty: it has not, or it succeeded.',
    reason_kind String COMMENT 'Kind of refusal, or ALERT, REQUEST or GATE for a rollback; else empty.',
    replaced_version Nullable(String) COMMENT 'Version that had all traffic before it succeeded; null: none, or it has not.',
    rolled_back_to Nullable(String) COMMENT 'Version that has all traffic since it was rolled back; null: none, or it was not.',
    requested_by String COMMENT 'Account or process that asked for it.',
    request_reason String COMMENT 'Why it was asked for, in words.',
    ended_by String COMMENT 'Account or process that cancelled it; else empty.',
    caused_by Nullable(UUID) COMMENT 'event_id of the alert, request or step that made it go back or stop; null: none.',
    policy_json String COMMENT 'The policy in force, a JSON object with every default filled in.',
    requested_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the request.',
    started_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When Kafka appended the beginning of its first step; null: none began.',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When Kafka appended its newest end; null: it has not ended.'
)
AS SELECT
    toUUID(UUIDNumToString(toFixedString(unhex(id), 16))) AS deployment_id,
    request.1 AS model_id, request.2 AS version, request.3 AS environment,
    multiIf(
        newest_end.1 = 'DeploymentRequestRefused', 'REFUSED',
        newest_end.1 = 'DeploymentSucceeded', 'SUCCEEDED',
        newest_end.1 = 'DeploymentFailed', 'FAILED',
        newest_end.1 = 'DeploymentCancelled', 'CANCELLED',
        newest_end.1 = 'DeploymentRolledBack', 'ROLLED_BACK',
        steps = 0, 'QUEUED',
        'RUNNING'
    ) AS status,
    newest_step AS step, if(steps = 0, NULL, newest_number) AS step_number,
    newest_end.2 AS reason, newest_end.3 AS reason_kind,
    replaced.1 AS replaced_version, back_to.1 AS rolled_back_to,
    request.4 AS requested_by, request.5 AS request_reason, newest_end.4 AS ended_by,
    if(newest_end.5 = '', NULL, toUUID(UUIDNumToString(toFixedString(unhex(newest_end.5), 16)))) AS caused_by,
    request.6 AS policy_json, request.7 AS requested_at,
    if(steps = 0, NULL, first_step_at) AS started_at,
    if(newest_end.1 = '', NULL, newest_end.6) AS ended_at
FROM
(
    SELECT
        f.deployment_id AS id,
        countIf(f.event_type = 'DeploymentRequested') AS requests,
        anyIf((toString(f.model_id), toString(f.version), toString(f.environment), toString(f.actor), f.reason, f.policy_json, f.appended_at), f.event_type = 'DeploymentRequested') AS request,
        argMaxIf((toString(f.event_type), f.reason, toString(f.kind), toString(f.actor), f.caused_by, f.appended_at), at, is_end) AS newest_end,
        argMaxIf(tuple(f.other_version), at, f.event_type = 'DeploymentSucceeded') AS replaced,
        argMaxIf(tuple(f.other_version), at, f.event_type = 'DeploymentRolledBack') AS back_to,
        countIf(f.number IS NOT NULL) AS steps,
        max(ifNull(f.number, 0)) AS newest_number,
        argMaxIf(toString(f.step), (ifNull(f.number, 0), at), f.number IS NOT NULL) AS newest_step,
        minIf(f.appended_at, f.number IS NOT NULL) AS first_step_at
    FROM
    (
        -- The first row of a fact that was sent again counts.
        SELECT
            deployment_id, model_id, version, environment, event_type, step, number, reason, kind, actor,
            other_version, policy_json, caused_by, appended_at,
            (appended_at, topic_id, partition, offset) AS at,
            event_type NOT IN ('DeploymentRequested', 'StepStarted', 'StepCompleted') AS is_end
        FROM {database}.deployment_rows
        ORDER BY at
        LIMIT 1 BY event_id_bytes
    ) AS f
    GROUP BY id
)
-- A cancellation or rollback that was refused is no deployment.
WHERE requests > 0
COMMENT 'One row a deployment, as it is now.';
