CREATE OR REPLACE VIEW {database}.model_versions
(
    event_id UUID COMMENT 'Identity of the ModelRegistered.',
    model_id String COMMENT 'Which model.',
    version String COMMENT 'Semantic version with a leading v.',
    artifact_uri String COMMENT 'Where the bytes lie in the artifact store.',
    artifact_sha256 String COMMENT 'SHA-256 of the bytes, 64 hex digits.',
    artifact_size Int64 COMMENT 'Size of the bytes.',
    metadata_json String COMMENT 'Metadata of the registration, a JSON object.',
    declared_metrics Array(String) COMMENT 'Extra metric names that nodes may measure.',
    aliases Array(String) COMMENT 'Aliases that point at the version, sorted.',
    tags Map(String, String) COMMENT 'Tags of the version.',
    archived Bool COMMENT 'Whether the newest word on the version or its model is that it is archived.',
    erased Bool COMMENT 'Whether its artifact was erased.',
    registered_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the registration.',
    requested_by String COMMENT 'Account or process that asked for it.',
    tensors Array(Tuple(is_input Bool, name String, dtype String, shape Array(String))) COMMENT 'Inputs and outputs of the ONNX graph; a dimension is a number, a symbol, or ?.',
    opsets Array(Tuple(domain String, version Int64)) COMMENT 'Sets of operators that the model uses; the empty domain is that of ONNX itself.',
    run_id Nullable(String) COMMENT 'Run that made the model.',
    dataset String COMMENT 'Name of the data set that it was trained on.',
    dataset_fingerprint String COMMENT 'Fingerprint of that data set.',
    git_commit String COMMENT 'Commit of the code that made it.',
    environment_lock String COMMENT 'Fingerprint of the lock of its environment.',
    parent_model_id Nullable(String) COMMENT 'Model that it was derived from.',
    parent_version Nullable(String) COMMENT 'Version of that model.'
)
AS SELECT * FROM {database}.registry_at(ts = '2200-01-01 00:00:00')
COMMENT 'Every registered version of every model as it is now.';
