CREATE OR REPLACE VIEW {database}.node_models
(
    node_id String COMMENT 'Which node.',
    environment String COMMENT 'production, staging, …',
    model_id String COMMENT 'Which model.',
    arm String COMMENT 'champion or candidate.',
    version String COMMENT 'Version that the arm runs there.',
    artifact_sha256 String COMMENT 'SHA-256 of the model file that runs, 64 hex digits.',
    revision Int64 COMMENT 'Revision of the routing that the node serves.',
    wanted_revision Nullable(Int64) COMMENT 'Newest revision of that routing; null: none is known.',
    alive Bool COMMENT 'Whether the node reported within three heartbeats and did not stop.',
    reported_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the newest report of the node.'
)
AS SELECT
    n.node_id AS node_id, n.environment AS environment, n.served.1 AS model_id, n.served.3 AS arm, n.served.4 AS version,
    n.served.5 AS artifact_sha256, n.served.2 AS revision, r.newest AS wanted_revision,
    n.alive AS alive, n.reported_at AS reported_at
FROM
(
    SELECT node_id, environment, alive, reported_at, arrayJoin(serves) AS served FROM {database}.nodes
) AS n
LEFT JOIN
(
    SELECT environment, model_id, toNullable(max(revision)) AS newest FROM {database}.routing GROUP BY environment, model_id
) AS r ON r.environment = n.environment AND r.model_id = n.served.1
COMMENT 'What each node serves: one row a node, model and arm.';
