CREATE OR REPLACE VIEW {database}.alias_history
(
    model_id String COMMENT 'Which model.',
    alias String COMMENT 'Which alias: champion, …',
    version Nullable(String) COMMENT 'Version that it points at from then on; null: it was removed.',
    changed_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the change: since when it holds.',
    held_until Nullable(DateTime64(3, 'UTC')) COMMENT 'When the next change of the alias was appended; null: it holds now.',
    changed_by String COMMENT 'Account or process that asked for it.',
    reason String COMMENT 'Why, in words.',
    event_id UUID COMMENT 'Identity of the AliasAssigned or AliasRemoved.'
)
AS SELECT
    model_id, name AS alias, version, at.1 AS changed_at,
    leadInFrame(toNullable(at.1)) OVER (PARTITION BY model_id, name ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS held_until,
    changed_by, reason, toUUID(UUIDNumToString(event_id_bytes)) AS event_id
FROM
(
    -- The first row of a fact that was sent again counts.
    SELECT
        model_id, name, event_id_bytes, any(r.version) AS version, any(toString(actor)) AS changed_by,
        any(r.reason) AS reason, min((appended_at, topic_id, partition, offset)) AS at
    FROM {database}.registry_rows AS r
    WHERE event_type IN ('AliasAssigned', 'AliasRemoved')
    GROUP BY model_id, name, event_id_bytes
)
COMMENT 'Every change of every alias: which version it named, since when, who changed it and why.';
