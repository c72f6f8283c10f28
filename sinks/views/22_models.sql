CREATE OR REPLACE VIEW {database}.models
(
    model_id String COMMENT 'Which model.',
    versions UInt64 COMMENT 'Registered versions.',
    latest_version String COMMENT 'The version registered last.',
    aliases Map(String, String) COMMENT 'Each alias and the version that it points at.',
    tags Map(String, String) COMMENT 'Tags of the model as a whole.',
    archived Bool COMMENT 'Whether all its versions are archived.',
    erased Bool COMMENT 'Whether the artifacts of all its versions were erased.',
    first_registered_at DateTime64(3, 'UTC') COMMENT 'When its first version was registered.',
    last_registered_at DateTime64(3, 'UTC') COMMENT 'When its last version was registered.'
)
AS WITH
    tag_values AS
    (
        SELECT model_id AS model, name, argMax(tuple(value), at).1 AS current
        FROM
        (
            -- The first row of a fact that was sent again counts.
            SELECT model_id, name, event_id_bytes, any(r.value) AS value,
                   min((appended_at, topic_id, partition, offset)) AS at
            FROM {database}.registry_rows AS r
            WHERE event_type = 'TagSet' AND version IS NULL
            GROUP BY model_id, name, event_id_bytes
        )
        GROUP BY model_id, name
    ),
    tags AS
    (
        SELECT model, arraySort(groupArray((name, assumeNotNull(current)))) AS pairs
        FROM tag_values WHERE current IS NOT NULL GROUP BY model
    ),
    versions AS
    (
        SELECT
            model_id,
            count() AS how_many,
            argMax(version, (registered_at, arrayMap(part -> toUInt64OrZero(part), splitByChar('.', substring(version, 2))))) AS latest,
            arraySort(arrayFlatten(groupArray(arrayMap(alias -> (alias, version), aliases)))) AS alias_pairs,
            min(archived) AS all_archived,
            min(erased) AS all_erased,
            min(registered_at) AS first_at,
            max(registered_at) AS last_at
        FROM {database}.model_versions
        GROUP BY model_id
    )
SELECT
    v.model_id AS model_id, how_many AS versions, latest AS latest_version,
    CAST(alias_pairs, 'Map(String, String)') AS aliases,
    CAST(tags.pairs, 'Map(String, String)') AS tags,
    all_archived AS archived, all_erased AS erased,
    first_at AS first_registered_at, last_at AS last_registered_at
FROM versions AS v LEFT JOIN tags ON tags.model = v.model_id
COMMENT 'Every model that has a registered version.';
