CREATE TABLE IF NOT EXISTS {database}.deployment_rows
(
    event_type LowCardinality(String) COMMENT 'DeploymentRequested, DeploymentRequestRefused, StepStarted, StepCompleted, DeploymentSucceeded, DeploymentFailed, DeploymentCancelled or DeploymentRolledBack; columns that the fact does not have are empty.',
    deployment_id String COMMENT 'Which deployment: event_id of its request, 32 hex digits; of a refusal that of whatever request was refused.',
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    policy_json String CODEC(ZSTD(1)) COMMENT 'DeploymentRequested: the policy in force, a JSON object.',
    actor LowCardinality(String) COMMENT 'DeploymentRequested, DeploymentCancelled: account or process that asked for it.',
    reason String COMMENT 'Why, in words.',
    kind LowCardinality(String) COMMENT 'DeploymentRequestRefused: kind of refusal; DeploymentRolledBack: what made it go back.',
    step LowCardinality(String) COMMENT 'StepStarted, StepCompleted, DeploymentFailed: VALIDATION, PERFORMANCE, DATA_QUALITY, ETHICS, STAGING, AB_TEST or PRODUCTION.',
    number Nullable(Int64) COMMENT 'StepStarted, StepCompleted: number of the step in its deployment, from 1.',
    share Nullable(Int64) COMMENT 'StepStarted: traffic of the candidate from then on, in 1/10000; -1: the step does not change it.',
    deadline_at Nullable(DateTime64(6, 'UTC')) COMMENT 'StepStarted: when the step ends at the latest.',
    started_at Nullable(DateTime64(6, 'UTC')) COMMENT 'StepCompleted: when the step began.',
    verdict LowCardinality(String) COMMENT 'StepCompleted: PASSED, FAILED, INCONCLUSIVE, ABORTED or SKIPPED.',
    evidence_json String CODEC(ZSTD(3)) COMMENT 'StepCompleted: all that the verdict rests on, a JSON object.',
    other_version Nullable(String) COMMENT 'StepStarted: version compared with; DeploymentSucceeded: version replaced; DeploymentRolledBack: version that has all traffic now.',
    trial_metrics Array(String) COMMENT 'StepStarted: metrics that the trial of the step measures.',
    caused_by String COMMENT 'DeploymentRolledBack: event_id of the alert, request or step that made it go back; DeploymentCancelled: of the request; 32 hex digits.',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it happened, by the clock of whoever said it.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one, and its first row counts.'
)
ENGINE = MergeTree
ORDER BY (deployment_id, appended_at, topic_id, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 512
COMMENT 'One row a fact that moved a deployment, as it lies in Kafka; read it through deployments and deployment_steps.';
