CREATE OR REPLACE VIEW {database}.threshold_rules
(
    model_id String COMMENT 'Which model; `*`: every model without a rule of that name.',
    rule String COMMENT 'Name of the rule.',
    is_default Bool COMMENT 'Whether the rule was set for `*`.',
    metric String COMMENT 'Which metric.',
    statistic LowCardinality(String) COMMENT 'VALUE, MEAN, MIN, MAX, P50, P95, P99, SHARE, NO_DATA, PARITY_RATIO or PARITY_DIFFERENCE (of the groups METRIC@GROUP).',
    window LowCardinality(String) COMMENT 'Length of the window; empty for VALUE.',
    direction LowCardinality(String) COMMENT 'ABOVE or BELOW: on which side of the threshold a value is a breach.',
    threshold Float64 COMMENT 'The limit.',
    resolve_threshold Nullable(Float64) COMMENT 'Where an open alert resolves; null: at the threshold.',
    for_s Float64 COMMENT 'How long a breach must last, s.',
    minimum_samples Int64 COMMENT 'Values that a window needs to be judged; of groups, each of them.',
    severity LowCardinality(String) COMMENT 'INFO, WARNING or CRITICAL.',
    only_environment String COMMENT 'Environment that the rule is for; empty: all.',
    share_of String COMMENT 'Metric that is the whole of a SHARE.',
    set_by String COMMENT 'Account or process that set it.',
    set_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended it: it judges windows that end later.',
    event_id UUID COMMENT 'Identity of the ThresholdsSet.'
)
AS WITH
    refused AS
    (
        SELECT lower(JSONExtractString(payload, 'rejected_id')) AS id
        FROM {database}.event_log
        WHERE topic = 'rules' AND event_type = 'RuleRejected'
    ),
    -- The newest set of a model replaces all its rules; one that was refused changes nothing.
    newest AS
    (
        SELECT
            JSONExtractString(payload, 'model_id') AS model,
            argMax(payload, (at, topic_id, partition, offset)) AS body,
            argMax(event_id, (at, topic_id, partition, offset)) AS id,
            max(at) AS since
        FROM
        (
            -- The first row of a fact that was sent again counts.
            SELECT payload, event_id, appended_at AS at, topic_id, partition, offset
            FROM {database}.event_log
            WHERE topic = 'rules' AND event_type = 'ThresholdsSet'
              AND JSONExtractString(payload, 'event_id') NOT IN (SELECT id FROM refused)
            ORDER BY appended_at, topic_id, partition, offset
            LIMIT 1 BY event_id
        )
        GROUP BY model
    ),
    entries AS
    (
        SELECT
            model, since, id, JSONExtractString(body, 'set_by') AS who,
            arrayJoin(JSONExtractArrayRaw(body, 'rules')) AS entry,
            JSONExtractString(entry, 'name') AS name
        FROM newest
    ),
    known AS
    (
        SELECT model FROM newest
        UNION DISTINCT
        SELECT model_id AS model FROM {database}.models
    ),
    -- What a model sets replaces the defaults of the same name.
    in_force AS
    (
        SELECT model AS holder, * FROM entries
        UNION ALL
        SELECT known.model AS holder, entries.*
        FROM known CROSS JOIN entries
        WHERE entries.model = '*' AND known.model != '*'
          AND (known.model, entries.name) NOT IN (SELECT model, name FROM entries)
    )
SELECT
    holder AS model_id, name AS rule, toBool(model = '*') AS is_default,
    JSONExtractString(entry, 'metric') AS metric,
    JSONExtractString(entry, 'statistic') AS statistic,
    JSONExtractString(entry, 'window') AS window,
    JSONExtractString(entry, 'direction') AS direction,
    JSONExtractFloat(entry, 'threshold') AS threshold,
    JSONExtract(entry, 'resolve_threshold', 'Nullable(Float64)') AS resolve_threshold,
    JSONExtractFloat(entry, 'for_s') AS for_s,
    JSONExtractInt(entry, 'minimum_samples') AS minimum_samples,
    JSONExtractString(entry, 'severity') AS severity,
    JSONExtractString(entry, 'environment') AS only_environment,
    JSONExtractString(entry, 'share_of') AS share_of,
    who AS set_by, since AS set_at, id AS event_id
FROM in_force
COMMENT 'The threshold rules in force now, for each registered model and each that rules were set for.';
