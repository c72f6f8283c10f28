CREATE OR REPLACE VIEW {database}.routing_history
(
    environment String COMMENT 'production, staging, …',
    model_id String COMMENT 'Which model.',
    revision Int64 COMMENT 'Counts the states of this model in this environment, from 1.',
    arm String COMMENT 'champion or candidate; empty: nothing is served.',
    version String COMMENT 'Version that the arm serves; empty: nothing is served.',
    share Float64 COMMENT 'Share of the sessions that the arm serves, 0 to 1.',
    artifact_sha256 String COMMENT 'SHA-256 of the model file, 64 hex digits.',
    artifact_uri String COMMENT 'Where the bytes lie in the artifact store.',
    salt String COMMENT 'What the arm of a session follows from, with its id.',
    deployment_id Nullable(UUID) COMMENT 'Deployment that set it; null: a request to roll back.',
    since DateTime64(3, 'UTC') COMMENT 'When Kafka appended it first.',
    until Nullable(DateTime64(3, 'UTC')) COMMENT 'When the next revision was appended; null: it holds now.',
    event_id UUID COMMENT 'Identity of the RoutingSet.'
)
AS SELECT
    environment, model_id, revision, routed.1 AS arm, routed.2 AS version, routed.5 / 10000 AS share,
    routed.3 AS artifact_sha256, routed.4 AS artifact_uri, salt, deployment_id, since, until, event_id
FROM
(
    SELECT
        fact.environment AS environment, fact.model_id AS model_id, fact.revision AS revision, fact.salt AS salt,
        if(ifNull(fact.deployment_id, '') = '', NULL, toUUID(UUIDNumToString(toFixedString(unhex(ifNull(fact.deployment_id, '')), 16)))) AS deployment_id,
        fact.arms AS arms, event_id, appended_at AS since,
        leadInFrame(toNullable(appended_at)) OVER (PARTITION BY environment, model_id ORDER BY revision, appended_at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS until
    FROM
    (
        -- A worker that restarts says the same again: the first row counts; its JSON is parsed once.
        SELECT
            event_id, appended_at,
            JSONExtract(payload, 'Tuple(
                environment String, model_id String, revision Int64, salt String, deployment_id Nullable(String),
                arms Array(Tuple(arm String, version String, artifact_sha256 String, artifact_uri String, share Int64))
            )') AS fact
        FROM {database}.event_log
        WHERE topic = 'routing' AND event_type = 'RoutingSet'
        ORDER BY appended_at, topic_id, partition, offset
        LIMIT 1 BY event_id
    )
)
LEFT ARRAY JOIN arms AS routed
COMMENT 'Which versions were to serve which share of sessions, since when; a database that was built anew has only what Kafka kept of it.';
