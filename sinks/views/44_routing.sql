CREATE OR REPLACE VIEW {database}.routing
(
    environment String COMMENT 'production, staging, …',
    model_id String COMMENT 'Which model.',
    revision Int64 COMMENT 'Counts the states of this model in this environment, from 1.',
    arm String COMMENT 'champion or candidate; empty: nothing is served.',
    version String COMMENT 'Version that the arm serves; empty: nothing is served.',
    share Float64 COMMENT 'Share of the sessions that the arm serves, 0 to 1.',
    artifact_sha256 String COMMENT 'SHA-256 of the model file, 64 hex digits.',
    deployment_id Nullable(UUID) COMMENT 'Deployment that set it; null: a request to roll back.',
    since DateTime64(3, 'UTC') COMMENT 'When Kafka appended it first.'
)
AS SELECT environment, model_id, revision, arm, version, share, artifact_sha256, deployment_id, since
FROM {database}.routing_history WHERE until IS NULL
COMMENT 'Which versions are to serve which share of sessions now: what nodes follow.';
