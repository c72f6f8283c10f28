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
-- column archived Bool: Whether the version or its model was archived.
-- column erased Bool: Whether the artifacts of the model were erased.
-- column registered_at DateTime64(3, 'UTC'): When Kafka appended the registration.
-- column requested_by String: Account or process that asked for it.
CREATE OR REPLACE VIEW {database}.registry_at
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
            JSONExtractString(body, 'model_id') AS model,
            JSONExtract(body, 'version', 'Nullable(String)') AS about
        FROM {database}.event_log
        WHERE topic = 'registry' AND appended_at <= {ts:DateTime64(6, 'UTC')}
        GROUP BY event_id
    ),
    alias_targets AS
    (
        SELECT model, alias, argMax(tuple(if(type = 'AliasAssigned', about, NULL)), at).1 AS target
        FROM (SELECT *, JSONExtractString(body, 'alias') AS alias FROM facts
              WHERE type IN ('AliasAssigned', 'AliasRemoved'))
        GROUP BY model, alias
    ),
    aliases AS
    (
        SELECT model, assumeNotNull(target) AS version, arraySort(groupArray(alias)) AS names
        FROM alias_targets WHERE target IS NOT NULL GROUP BY model, version
    ),
    tag_values AS
    (
        SELECT model, about, name, argMax(tuple(value), at).1 AS current
        FROM (SELECT *, JSONExtractString(body, 'name') AS name,
                     JSONExtract(body, 'value', 'Nullable(String)') AS value FROM facts
              WHERE type = 'TagSet' AND about IS NOT NULL)
        GROUP BY model, about, name
    ),
    tags AS
    (
        SELECT model, assumeNotNull(about) AS version,
               arraySort(groupArray((name, assumeNotNull(current)))) AS pairs
        FROM tag_values WHERE current IS NOT NULL GROUP BY model, about
    )
SELECT
    f.event_id AS event_id,
    f.model AS model_id,
    assumeNotNull(f.about) AS version,
    JSONExtractString(f.body, 'artifact_uri') AS artifact_uri,
    JSONExtractString(f.body, 'artifact_sha256') AS artifact_sha256,
    JSONExtractInt(f.body, 'artifact_size') AS artifact_size,
    JSONExtractString(f.body, 'metadata_json') AS metadata_json,
    JSONExtract(f.body, 'declared_metrics', 'Array(String)') AS declared_metrics,
    aliases.names AS aliases,
    CAST(tags.pairs, 'Map(String, String)') AS tags,
    toBool((f.model, f.about) IN (SELECT model, about FROM facts WHERE type = 'ModelArchived' AND about IS NOT NULL)
        OR f.model IN (SELECT model FROM facts WHERE type = 'ModelArchived' AND about IS NULL)) AS archived,
    toBool(f.model IN (SELECT model FROM facts WHERE type = 'ModelErased')) AS erased,
    f.at.1 AS registered_at,
    JSONExtractString(f.body, 'requested_by') AS requested_by
FROM facts AS f
LEFT JOIN aliases ON aliases.model = f.model AND aliases.version = f.about
LEFT JOIN tags ON tags.model = f.model AND tags.version = f.about
WHERE f.type = 'ModelRegistered'
COMMENT 'Every registered version as the registry stood at ts, by append time: registry_at(ts = ''2026-01-01 00:00:00'').';
