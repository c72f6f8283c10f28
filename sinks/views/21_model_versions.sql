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
    archived Bool COMMENT 'Whether the version or its model is archived.',
    erased Bool COMMENT 'Whether the artifacts of the model were erased.',
    registered_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the registration.',
    requested_by String COMMENT 'Account or process that asked for it.'
)
AS SELECT * FROM {database}.registry_at(ts = '2200-01-01 00:00:00')
COMMENT 'Every registered version of every model as it is now.';
