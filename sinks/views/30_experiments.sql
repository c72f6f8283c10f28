CREATE OR REPLACE VIEW {database}.experiments
(
    run_id String COMMENT 'Which run.',
    experiment_id String COMMENT 'Experiment that the run belongs to.',
    status LowCardinality(String) COMMENT 'RUNNING, LOST (no fact for three of its heartbeats), or how it ended: FINISHED, FAILED, KILLED.',
    started_at DateTime64(6, 'UTC') COMMENT 'When it began, by the clock of the run.',
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ended, by the clock of the run; null while it runs.',
    last_seen_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended its newest fact.',
    config_json String COMMENT 'Configuration of the run, a JSON object with sorted keys.',
    parent_run_id Nullable(String) COMMENT 'Run that this one is nested in.',
    started_by String COMMENT 'Account or process that asked for it.',
    detail String COMMENT 'The error of a failed run.',
    artifacts Array(String) COMMENT 'Names of its artifacts, sorted.',
    tags Map(String, String) COMMENT 'Tags of the run.',
    params Map(String, String) COMMENT 'Configuration and parameters logged later, on one level: names joined by dots, strings as they are, other values as JSON.',
    environment_json String COMMENT 'What was captured of its environment, a JSON object; empty: nothing.',
    heartbeat_s Float64 COMMENT 'Seconds between its heartbeats; 0: there are none.',
    resumptions UInt64 COMMENT 'How often it went on in another process.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended its start.'
)
AS WITH
    runs AS
    (
        -- The first start and end count, and the first row of a fact that was sent again.
        SELECT
            run_id,
            argMinIf(experiment_id, at, event_type = 'RunStarted') AS experiment,
            argMinIf(occurred_at, at, event_type = 'RunStarted') AS began,
            argMinIf(params_json, at, event_type = 'RunStarted') AS config,
            argMinIf(tuple(parent_run_id), at, event_type = 'RunStarted').1 AS parent,
            argMinIf(actor, at, event_type = 'RunStarted') AS starter,
            argMinIf(environment_json, at, event_type = 'RunStarted') AS environment,
            argMinIf(heartbeat_s, at, event_type = 'RunStarted') AS first_heartbeat,
            argMinIf(params, at, event_type = 'RunStarted') AS first_params,
            minIf(appended_at, event_type = 'RunStarted') AS start_appended,
            argMaxIf(heartbeat_s, at, event_type = 'RunResumed') AS newest_heartbeat,
            uniqExactIf(event_id_bytes, event_type = 'RunResumed') AS resumed,
            countIf(event_type = 'RunEnded') > 0 AS has_ended,
            argMinIf(r.status, at, event_type = 'RunEnded') AS ending,
            argMinIf(occurred_at, at, event_type = 'RunEnded') AS stopped,
            argMinIf(r.detail, at, event_type = 'RunEnded') AS ending_detail,
            arraySort(groupUniqArrayIf(name, event_type = 'ArtifactLogged')) AS files,
            arraySort(groupArrayIf((at, event_id_bytes, name, value), event_type = 'TagSet')) AS tag_facts,
            arraySort(groupArrayIf((at, event_id_bytes, params), event_type = 'ParamsLogged')) AS param_facts,
            arrayReverse(arrayFilter((fact, nth) -> nth = 1, tag_facts, arrayEnumerateUniq(arrayMap(fact -> fact.2, tag_facts)))) AS tags_newest_first,
            arrayReverse(arrayFilter((fact, nth) -> nth = 1, param_facts, arrayEnumerateUniq(arrayMap(fact -> fact.2, param_facts)))) AS params_newest_first,
            arrayFlatten(arrayMap(settings -> arrayZip(mapKeys(settings), mapValues(settings)), arrayPushBack(arrayMap(fact -> fact.3, params_newest_first), first_params))) AS settings_newest_first,
            max(appended_at) AS changed,
            countIf(event_type = 'RunStarted') > 0 AS has_started
        FROM
        (
            -- All facts of a run lie in one partition.
            SELECT run_id, event_type, experiment_id, occurred_at, params_json, parent_run_id, actor,
                   environment_json, heartbeat_s, params, name, value, r.status, r.detail, event_id_bytes, appended_at,
                   bitShiftLeft(toUInt128(toUnixTimestamp64Milli(appended_at)), 64) + offset AS at
            FROM {database}.run_rows AS r
        ) AS r
        GROUP BY run_id
        HAVING has_started
    ),
    seen AS
    (
        SELECT run_id, max(seen_at) AS newest FROM {database}.run_seen_rows GROUP BY run_id
    )
SELECT
    runs.run_id AS run_id,
    experiment AS experiment_id,
    multiIf(
        has_ended, ending,
        heartbeat_s > 0 AND last_seen_at < now64(3) - toIntervalMillisecond(3000 * heartbeat_s), 'LOST',
        'RUNNING'
    ) AS status,
    began AS started_at,
    if(has_ended, stopped, NULL) AS ended_at,
    greatest(changed, seen.newest) AS last_seen_at,
    config AS config_json,
    parent AS parent_run_id,
    starter AS started_by,
    ending_detail AS detail,
    files AS artifacts,
    CAST(
        arraySort(arrayMap(
            fact -> (fact.3, assumeNotNull(fact.4)),
            arrayFilter(
                (fact, nth) -> nth = 1 AND fact.4 IS NOT NULL,
                tags_newest_first, arrayEnumerateUniq(arrayMap(fact -> fact.3, tags_newest_first))
            )
        )),
        'Map(String, String)'
    ) AS tags,
    CAST(
        arraySort(arrayFilter(
            (setting, nth) -> nth = 1,
            settings_newest_first, arrayEnumerateUniq(arrayMap(setting -> setting.1, settings_newest_first))
        )),
        'Map(String, String)'
    ) AS params,
    environment AS environment_json,
    if(resumed > 0, newest_heartbeat, first_heartbeat) AS heartbeat_s,
    resumed AS resumptions,
    start_appended AS appended_at
FROM runs LEFT JOIN seen ON seen.run_id = runs.run_id
COMMENT 'Every run of every experiment.';
