CREATE TABLE IF NOT EXISTS {database}.registry_rows
(
    event_type LowCardinality(String) COMMENT 'ModelRegistered, AliasAssigned, AliasRemoved, TagSet, ModelArchived, ModelRestored or ModelErased; columns that the fact does not have are empty.',
    model_id String COMMENT 'Which model.',
    version Nullable(String) COMMENT 'Semantic version with a leading v; null: the model as a whole.',
    name String COMMENT 'Name of the alias or tag.',
    value Nullable(String) COMMENT 'TagSet: value; null removes the tag.',
    actor LowCardinality(String) COMMENT 'Account or process that asked for it.',
    reason String COMMENT 'Why, in words.',
    artifact_uri String COMMENT 'Where the bytes lie in the artifact store.',
    artifact_sha256 String COMMENT 'SHA-256 of the bytes, 64 hex digits.',
    artifact_size Int64 COMMENT 'Size of the bytes.',
    metadata_json String CODEC(ZSTD(1)) COMMENT 'Metadata of the registration, a JSON object.',
    declared_metrics Array(String) COMMENT 'Extra metric names that nodes may measure.',
    tensors Array(Tuple(is_input Bool, name String, dtype String, shape Array(String))) COMMENT 'Inputs and outputs of the ONNX graph; a dimension is a number, a symbol, or ?.',
    opsets Array(Tuple(domain String, version Int64)) COMMENT 'Sets of operators that the model uses; the empty domain is that of ONNX itself.',
    run_id Nullable(String) COMMENT 'Run that made the model.',
    dataset String COMMENT 'Name of the data set that it was trained on.',
    dataset_fingerprint String COMMENT 'Fingerprint of that data set.',
    git_commit String COMMENT 'Commit of the code that made it.',
    environment_lock String COMMENT 'Fingerprint of the lock of its environment.',
    parent_model_id Nullable(String) COMMENT 'Model that it was derived from.',
    parent_version Nullable(String) COMMENT 'Version of that model.',
    search_text String MATERIALIZED lowerUTF8(arrayStringConcat(multiIf(event_type = 'ModelRegistered', [model_id, ifNull(version, ''), metadata_json, ifNull(run_id, ''), dataset, git_commit, actor], event_type = 'TagSet', [concat(name, '=', ifNull(value, ''))], []), '\n')) COMMENT 'What a search by text looks at: ids, metadata, lineage and tags, in lower case.',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it happened, by the clock of whoever asked.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the fact.',
    topic_id LowCardinality(String) COMMENT 'Kafka id of the topic, 32 hex digits.',
    partition UInt32 COMMENT 'Partition of the topic.',
    offset Int64 COMMENT 'Offset in the partition.',
    event_id_bytes FixedString(16) CODEC(NONE) COMMENT 'Identity of the fact, 16 bytes; a fact that was sent again has the same one, and its first row counts.'
)
ENGINE = MergeTree
ORDER BY (event_type, model_id, appended_at, topic_id, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 512
COMMENT 'One row a fact that changed the registry, as it lies in Kafka; read it through model_versions, registry_at and alias_history.';
