CREATE OR REPLACE VIEW {database}.nodes
(
    node_id String COMMENT 'Which node.',
    environment String COMMENT 'production, staging, …',
    status String COMMENT 'ALIVE; STOPPED: it ended in good order; LOST: silent for three heartbeats.',
    alive Bool COMMENT 'Whether it is ALIVE.',
    serves Array(Tuple(model_id String, revision Int64, arm String, version String, artifact_sha256 String)) COMMENT 'Every arm that it served when it reported last.',
    failing Array(String) COMMENT 'Model and version, separated by a space, of what it was told to run and could not load.',
    heartbeat_s Float64 COMMENT 'Longest time between its reports, s.',
    reported_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended its newest report.'
)
AS SELECT
    node_id, newest.2 AS environment,
    multiIf(newest.1 = 'NodeStopped', 'STOPPED', dateDiff('millisecond', newest_at, now64(3)) > 3000 * newest.3, 'LOST', 'ALIVE') AS status,
    toBool(status = 'ALIVE') AS alive,
    newest.4 AS serves, newest.5 AS failing, newest.3 AS heartbeat_s, newest_at AS reported_at
FROM
(
    SELECT
        node_id, max(appended_at) AS newest_at,
        argMax((toString(event_type), toString(environment), heartbeat_s, serves, failing), position) AS newest
    FROM {database}.node_state_rows
    GROUP BY node_id
)
COMMENT 'Every inference node that follows the routing, as it reported last.';
