-- column event_id UUID: Identity of the ModelRegistered.
-- column model_id String: Which model.
-- column version String: Semantic version with a leading v.
-- column artifact_uri String: Where the bytes lie in the artifact store.
-- column artifact_sha256 String: SHA-256 of the bytes, 64 hex digits.
-- column artifact_size Int64: Size of the bytes.
-- column metadata_json String: Metadata of the registration, a JSON object.
-- column declared_metrics Array(String): Extra metric names that nodes may measure.
-- column aliases Array(String): Aliases that pointed at the version, sorted.
-- column tags Map(String, String): Tags of the version.
-- column archived Bool: Whether the newest word on the version or its model was that it is archived.
-- column erased Bool: Whether its artifact was erased.
-- column registered_at DateTime64(3, 'UTC'): When Kafka appended the registration.
-- column requested_by String: Account or process that asked for it.
-- column tensors Array(Tuple(is_input Bool, name String, dtype String, shape Array(String))): Inputs and outputs of the ONNX graph; a dimension is a number, a symbol, or ?.
-- column opsets Array(Tuple(domain String, version Int64)): Sets of operators that the model uses; the empty domain is that of ONNX itself.
-- column run_id Nullable(String): Run that made the model.
-- column dataset String: Name of the data set that it was trained on.
-- column dataset_fingerprint String: Fingerprint of that data set.
-- column git_commit String: Commit of the code that made it.
-- column environment_lock String: Fingerprint of the lock of its environment.
-- column parent_model_id Nullable(String): Model that it was derived from.
-- column parent_version Nullable(String): Version of that model.
CREATE OR REPLACE VIEW {database}.registry_at
AS WITH
    registrations AS
    (
        SELECT *, (appended_at, topic_id, partition, offset) AS at
        FROM {database}.registry_rows
        WHERE event_type = 'ModelRegistered' AND appended_at <= {ts:DateTime64(6, 'UTC')}
        -- Bytes that are registered again keep their version, and a fact may be sent again.
        ORDER BY model_id, at
        LIMIT 1 BY model_id, version
    ),
    alias_targets AS
    (
        SELECT model_id, name, argMax(tuple(target), at).1 AS version
        FROM
        (
            -- The first row of a fact that was sent again counts.
            SELECT model_id, name, event_id_bytes, any(r.version) AS target,
                   min((appended_at, topic_id, partition, offset)) AS at
            FROM {database}.registry_rows AS r
            WHERE event_type IN ('AliasAssigned', 'AliasRemoved')
            AND appended_at <= {ts:DateTime64(6, 'UTC')}
            GROUP BY model_id, name, event_id_bytes
        )
        GROUP BY model_id, name
    ),
    aliases AS
    (
        SELECT model_id, assumeNotNull(alias_targets.version) AS version, arraySort(groupArray(name)) AS names
        FROM alias_targets WHERE alias_targets.version IS NOT NULL GROUP BY model_id, version
    ),
    tag_values AS
    (
        SELECT model_id, version, name, argMax(tuple(value), at).1 AS current
        FROM
        (
            SELECT model_id, assumeNotNull(r.version) AS version, name, event_id_bytes, any(r.value) AS value,
                   min((appended_at, topic_id, partition, offset)) AS at
            FROM {database}.registry_rows AS r
            WHERE event_type = 'TagSet' AND r.version IS NOT NULL
            AND appended_at <= {ts:DateTime64(6, 'UTC')}
            GROUP BY model_id, version, name, event_id_bytes
        )
        GROUP BY model_id, version, name
    ),
    tags AS
    (
        SELECT model_id, version, arraySort(groupArray((name, assumeNotNull(current)))) AS pairs
        FROM tag_values WHERE current IS NOT NULL GROUP BY model_id, version
    ),
    retirements AS
    (
        SELECT model_id, about,
               argMaxIf(type = 'ModelArchived', at, type != 'ModelErased') AS archived,
               maxIf(at, type != 'ModelErased') AS archived_or_restored_at,
               maxIf(at, type = 'ModelErased') AS erased_at,
               countIf(type = 'ModelErased') > 0 AS erased
        FROM
        (
            SELECT model_id, ifNull(r.version, '') AS about, event_id_bytes, any(event_type) AS type,
                   min((appended_at, topic_id, partition, offset)) AS at
            FROM {database}.registry_rows AS r
            WHERE event_type IN ('ModelArchived', 'ModelRestored', 'ModelErased')
            AND appended_at <= {ts:DateTime64(6, 'UTC')}
            GROUP BY model_id, about, event_id_bytes
        )
        GROUP BY model_id, about
    )
SELECT
    toUUID(UUIDNumToString(r.event_id_bytes)) AS event_id,
    r.model_id AS model_id,
    assumeNotNull(r.version) AS version,
    r.artifact_uri AS artifact_uri,
    r.artifact_sha256 AS artifact_sha256,
    r.artifact_size AS artifact_size,
    r.metadata_json AS metadata_json,
    r.declared_metrics AS declared_metrics,
    aliases.names AS aliases,
    CAST(tags.pairs, 'Map(String, String)') AS tags,
    toBool(if(own.archived_or_restored_at >= whole.archived_or_restored_at, own.archived, whole.archived)) AS archived,
    toBool(own.erased OR (whole.erased AND whole.erased_at > r.at)) AS erased,
    r.appended_at AS registered_at,
    CAST(r.actor, 'String') AS requested_by,
    r.tensors AS tensors,
    r.opsets AS opsets,
    r.run_id AS run_id,
    r.dataset AS dataset,
    r.dataset_fingerprint AS dataset_fingerprint,
    r.git_commit AS git_commit,
    r.environment_lock AS environment_lock,
    r.parent_model_id AS parent_model_id,
    r.parent_version AS parent_version
FROM registrations AS r
LEFT JOIN aliases ON aliases.model_id = r.model_id AND aliases.version = r.version
LEFT JOIN tags ON tags.model_id = r.model_id AND tags.version = r.version
LEFT JOIN retirements AS own ON own.model_id = r.model_id AND own.about = r.version
LEFT JOIN (SELECT * FROM retirements WHERE about = '') AS whole ON whole.model_id = r.model_id
COMMENT 'Every registered version as the registry stood at ts, by append time: registry_at(ts = ''2026-01-01 00:00:00'').';
