-- Reading one run takes a few small granules, whatever its neighbours captured of their environment.
CREATE TABLE IF NOT EXISTS {database}.run_rows
(
    event_type LowCardinality(String) COMMENT 'RunStarted, RunResumed, ParamsLogged, ArtifactLogged, TagSet or RunEnded; columns that the fact does not have are empty.',
    run_id String COMMENT 'Which run.',
    experiment_id LowCardinality(String) COMMENT 'RunStarted: experiment that the run belongs to.',
    params_json String CODEC(ZSTD(1)) COMMENT 'RunStarted: its configuration; ParamsLogged: the parameters; a JSON object.',
    params Map(String, String) MATERIALIZED CAST(arrayMap(pair -> (pair.1, if(JSONType(pair.2) = 'String', JSONExtractString(pair.2), pair.2)), arrayFlatten(arrayMap(pair -> if(JSONType(pair.2) = 'Object' AND JSONLength(pair.2) > 0, arrayMap(inner -> (concat(pair.1, '.', inner.1), inner.2), JSONExtractKeysAndValuesRaw(pair.2)), [pair]), arrayFlatten(arrayMap(pair -> if(JSONType(pair.2) = 'Object' AND JSONLength(pair.2) > 0, arrayMap(inner -> (concat(pair.1, '.', inner.1), inner.2), JSONExtractKeysAndValuesRaw(pair.2)), [pair]), arrayFlatten(arrayMap(pair -> if(JSONType(pair.2) = 'Object' AND JSONLength(pair.2) > 0, arrayMap(inner -> (concat(pair.1, '.', inner.1), inner.2), JSONExtractKeysAndValuesRaw(pair.2)), [pair]), JSONExtractKeysAndValuesRaw(params_json)))))))), 'Map(String, String)') CODEC(ZSTD(1)) COMMENT 'The same on one level: names of up to four levels joined by dots, strings as they are, other values as JSON.',
    param_hashes Array(UInt64) MATERIALIZED arrayMap((name, setting) -> cityHash64(name, setting), mapKeys(params), mapValues(params)) COMMENT 'A hash of each name and value of params, to search by.',
    parent_run_id Nullable(String) COMMENT 'RunStarted: run that this one is nested in.',
    actor LowCardinality(String) COMMENT 'Account or process that started or resumed the run or set the tag.',
    environment_json String CODEC(ZSTD(1)) COMMENT 'RunStarted, RunResumed: what was captured of the environment, a JSON object; empty: nothing.',
    heartbeat_s Float64 COMMENT 'RunStarted, RunResumed: seconds between heartbeats; 0: there are none.',
    name String COMMENT 'ArtifactLogged, TagSet: name of the artifact or tag.',
    value Nullable(String) COMMENT 'TagSet: value; null removes the tag.',
    artifact_uri String COMMENT 'ArtifactLogged: where the bytes lie in the artifact store.',
    artifact_sha256 String COMMENT 'ArtifactLogged: SHA-256 of the bytes, 64 hex digits.',
    artifact_size Int64 COMMENT 'ArtifactLogged: size of the bytes.',
    status LowCardinality(String) COMMENT 'RunEnded: FINISHED, FAILED or KILLED.',
    detail String CODEC(ZSTD(1)) COMMENT 'RunEnded: the error of a failed run.',
    search_text String MATERIALIZED lowerUTF8(arrayStringConcat(arrayConcat(if(event_type = 'RunStarted', [run_id, experiment_id], []), if(event_type = 'TagSet', [concat(name, '=', ifNull(value, ''))], []), arrayMap((key, setting) -> concat(key, '=', setting), mapKeys(params), mapValues(params))), '\n')) COMMENT 'What a search by text looks at: ids, params and tags, in lower case.',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it happened, by the clock of the run.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one, and its first row counts.'
)
ENGINE = MergeTree
ORDER BY (event_type, run_id, appended_at, topic_id, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 512
COMMENT 'One row a fact about a run but for metrics and heartbeats, as it lies in Kafka; read it through experiments.';
