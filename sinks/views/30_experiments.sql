CREATE OR REPLACE VIEW {database}.experiments
(
    run_id String COMMENT 'Which run.',
    experiment_id String COMMENT 'Experiment that the run belongs to.',
    status LowCardinality(String) COMMENT 'RUNNING, or how it ended: FINISHED, FAILED, KILLED.',
    started_at DateTime64(6, 'UTC') COMMENT 'When it began, by the clock of the run.',
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ended, by the clock of the run; null while it runs.',
    last_seen_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended its newest fact.',
    config_json String COMMENT 'Configuration of the run, a JSON object with sorted keys.',
    parent_run_id Nullable(String) COMMENT 'Run that this one is nested in.',
    started_by String COMMENT 'Account or process that asked for it.',
    detail String COMMENT 'The error of a failed run.',
    artifacts Array(String) COMMENT 'Names of its artifacts, sorted.',
    tags Map(String, String) COMMENT 'Tags of the run.'
)
AS WITH
    facts AS
    (
        -- The first row of a fact that was sent again counts.
        SELECT
            event_id,
            min((appended_at, topic_id, partition, offset)) AS at,
            argMin((event_type, payload), (appended_at, topic_id, partition, offset)) AS fact,
            fact.1 AS type,
            fact.2 AS body,
            JSONExtractString(body, 'run_id') AS run
        FROM {database}.event_log
        WHERE topic = 'experiments'
        GROUP BY event_id
    ),
    runs AS
    (
        SELECT
            run,
            argMinIf(body, at, type = 'RunStarted') AS started,
            argMinIf(body, at, type = 'RunEnded') AS ended,
            max(at).1 AS seen,
            arraySort(groupUniqArrayIf(JSONExtractString(body, 'name'), type = 'ArtifactLogged')) AS files
        FROM facts
        GROUP BY run
        HAVING started != ''
    ),
    tag_values AS
    (
        SELECT run, JSONExtractString(body, 'name') AS name,
               argMax(tuple(JSONExtract(body, 'value', 'Nullable(String)')), at).1 AS current
        FROM facts WHERE type = 'TagSet' GROUP BY run, name
    ),
    tags AS
    (
        SELECT run, arraySort(groupArray((name, assumeNotNull(current)))) AS pairs
        FROM tag_values WHERE current IS NOT NULL GROUP BY run
    )
SELECT
    runs.run AS run_id,
    JSONExtractString(started, 'experiment_id') AS experiment_id,
    if(ended = '', 'RUNNING', JSONExtractString(ended, 'status')) AS status,
    fromUnixTimestamp64Micro(JSONExtractInt(started, 'occurred_at'), 'UTC') AS started_at,
    if(ended = '', NULL, fromUnixTimestamp64Micro(JSONExtractInt(ended, 'occurred_at'), 'UTC')) AS ended_at,
    seen AS last_seen_at,
    JSONExtractString(started, 'config_json') AS config_json,
    JSONExtract(started, 'parent_run_id', 'Nullable(String)') AS parent_run_id,
    JSONExtractString(started, 'started_by') AS started_by,
    JSONExtractString(ended, 'detail') AS detail,
    files AS artifacts,
    CAST(tags.pairs, 'Map(String, String)') AS tags
FROM runs LEFT JOIN tags ON tags.run = runs.run
COMMENT 'Every run of every experiment.';
