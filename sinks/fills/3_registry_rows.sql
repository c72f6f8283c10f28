INSERT INTO {database}.registry_rows
(
    event_type, model_id, version, name, value, actor, reason, artifact_uri, artifact_sha256,
    artifact_size, metadata_json, declared_metrics, tensors, opsets, run_id, dataset,
    dataset_fingerprint, git_commit, environment_lock, parent_model_id, parent_version,
    occurred_at, appended_at, topic_id, partition, offset, event_id_bytes
)
SELECT
    event_type,
    JSONExtractString(payload, 'model_id'),
    JSONExtract(payload, 'version', 'Nullable(String)'),
    concat(JSONExtractString(payload, 'alias'), JSONExtractString(payload, 'name')),
    JSONExtract(payload, 'value', 'Nullable(String)'),
    concat(
        JSONExtractString(payload, 'requested_by'), JSONExtractString(payload, 'assigned_by'),
        JSONExtractString(payload, 'removed_by'), JSONExtractString(payload, 'set_by'),
        JSONExtractString(payload, 'archived_by'), JSONExtractString(payload, 'restored_by'),
        JSONExtractString(payload, 'erased_by')
    ),
    JSONExtractString(payload, 'reason'),
    JSONExtractString(payload, 'artifact_uri'),
    JSONExtractString(payload, 'artifact_sha256'),
    JSONExtractInt(payload, 'artifact_size'),
    JSONExtractString(payload, 'metadata_json'),
    JSONExtract(payload, 'declared_metrics', 'Array(String)'),
    JSONExtract(payload, 'tensors', 'Array(Tuple(is_input Bool, name String, dtype String, shape Array(String)))'),
    JSONExtract(payload, 'opsets', 'Array(Tuple(domain String, version Int64))'),
    JSONExtract(payload, 'run_id', 'Nullable(String)'),
    JSONExtractString(payload, 'dataset'),
    JSONExtractString(payload, 'dataset_fingerprint'),
    JSONExtractString(payload, 'git_commit'),
    JSONExtractString(payload, 'environment_lock'),
    JSONExtract(payload, 'parent_model_id', 'Nullable(String)'),
    JSONExtract(payload, 'parent_version', 'Nullable(String)'),
    fromUnixTimestamp64Micro(JSONExtractInt(payload, 'occurred_at'), 'UTC'),
    appended_at, topic_id, partition, offset,
    toFixedString(UUIDStringToNum(toString(event_id)), 16)
FROM {database}.event_log
WHERE topic = 'registry'
AND event_type IN ('ModelRegistered', 'AliasAssigned', 'AliasRemoved', 'TagSet', 'ModelArchived', 'ModelRestored', 'ModelErased')
AND (topic_id, partition) IN %(places)s
AND offset < transform(concat(topic_id, '-', toString(partition)), %(names)s, %(ends)s, 0)
AND event_id NOT IN
(
    SELECT toUUID(UUIDNumToString(event_id_bytes)) FROM {database}.registry_rows
)
