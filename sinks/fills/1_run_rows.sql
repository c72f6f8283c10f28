INSERT INTO {database}.run_rows
(
    event_type, run_id, experiment_id, params_json, parent_run_id, actor, environment_json,
    heartbeat_s, name, value, artifact_uri, artifact_sha256, artifact_size, status, detail,
    occurred_at, appended_at, topic_id, partition, offset, event_id_bytes
)
SELECT
    event_type,
    JSONExtractString(payload, 'run_id'),
    JSONExtractString(payload, 'experiment_id'),
    JSONExtractString(payload, if(event_type = 'ParamsLogged', 'params_json', 'config_json')),
    JSONExtract(payload, 'parent_run_id', 'Nullable(String)'),
    concat(JSONExtractString(payload, 'started_by'), JSONExtractString(payload, 'resumed_by'), JSONExtractString(payload, 'set_by')),
    JSONExtractString(payload, 'environment_json'),
    JSONExtractFloat(payload, 'heartbeat_s'),
    JSONExtractString(payload, 'name'),
    JSONExtract(payload, 'value', 'Nullable(String)'),
    JSONExtractString(payload, 'artifact_uri'),
    JSONExtractString(payload, 'artifact_sha256'),
    JSONExtractInt(payload, 'artifact_size'),
    JSONExtractString(payload, 'status'),
    JSONExtractString(payload, 'detail'),
    fromUnixTimestamp64Micro(JSONExtractInt(payload, 'occurred_at'), 'UTC'),
    appended_at, topic_id, partition, offset,
    toFixedString(UUIDStringToNum(toString(event_id)), 16)
FROM {database}.event_log
WHERE topic = 'experiments'
AND event_type IN ('RunStarted', 'RunResumed', 'ParamsLogged', 'ArtifactLogged', 'TagSet', 'RunEnded')
AND (topic_id, partition) IN %(places)s
AND offset < transform(concat(topic_id, '-', toString(partition)), %(names)s, %(ends)s, 0)
AND event_id NOT IN
(
    SELECT toUUID(UUIDNumToString(event_id_bytes)) FROM {database}.run_rows
)
