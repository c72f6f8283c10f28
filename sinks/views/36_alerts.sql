CREATE OR REPLACE VIEW {database}.alerts
(
    alert_id UUID COMMENT 'Which alert.',
    state LowCardinality(String) COMMENT 'pending, open or resolved.',
    model_id String COMMENT 'Which model.',
    version String COMMENT 'Which version.',
    environment String COMMENT 'production, staging, …',
    arm String COMMENT 'champion, candidate, …',
    kind LowCardinality(String) COMMENT 'THRESHOLD, NO_DATA, DRIFT or CHANGE_POINT.',
    rule String COMMENT 'Name of the rule.',
    subject String COMMENT 'What it is about: version/environment/arm and more.',
    metric String COMMENT 'Which metric.',
    statistic LowCardinality(String) COMMENT 'What of the metric is compared.',
    window LowCardinality(String) COMMENT 'Length of the window.',
    severity LowCardinality(String) COMMENT 'INFO, WARNING or CRITICAL.',
    opened_at DateTime64(6, 'UTC') COMMENT 'Event time at which the breach began.',
    raised_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Event time at which the alert was raised; null: it never was.',
    resolved_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Event time at which it was over; null: it is not.',
    reason LowCardinality(String) COMMENT 'Why it resolved; empty: it has not.',
    first_value Nullable(Float64) COMMENT 'The value that began it; null: no number.',
    last_value Nullable(Float64) COMMENT 'The newest value; null: no number.',
    threshold Nullable(Float64) COMMENT 'The limit; null: no number.',
    samples Int64 COMMENT 'Values that were judged last.',
    summary String COMMENT 'One sentence for people, the newest.',
    updates UInt64 COMMENT 'How often it was updated while open.',
    acknowledged_by String COMMENT 'Who looks after it, the newest; empty: nobody.',
    acknowledged_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Since when; null: nobody does.',
    silenced Bool COMMENT 'Whether a silence covers it now.',
    appended_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended its newest step.'
)
AS WITH
    steps AS
    (
        SELECT
            alert_id AS id,
            argMinIf((version, environment, arm, kind, rule, subject, metric, statistic, window), log_position, step != 'acknowledged') AS about,
            argMin(model_id, log_position) AS model,
            argMaxIf(severity, log_position, step != 'acknowledged') AS newest_severity,
            argMaxIf(step, log_position, step != 'acknowledged') AS newest_step,
            argMinIf(alert_history.opened_at, log_position, step != 'acknowledged') AS first_at,
            countIf(step = 'raised') AS raises,
            minIf(occurred_at, step = 'raised') AS first_raised,
            minIf(occurred_at, step = 'resolved') AS first_resolved,
            argMaxIf(reason, log_position, step = 'resolved') AS why,
            argMinIf(tuple(value), log_position, step != 'acknowledged').1 AS value_at_first,
            argMaxIf(tuple(value), log_position, step != 'acknowledged').1 AS value_at_last,
            argMaxIf(tuple(threshold), log_position, step != 'acknowledged').1 AS newest_threshold,
            argMaxIf(samples, log_position, step != 'acknowledged') AS newest_samples,
            argMaxIf(summary, log_position, step != 'acknowledged') AS newest_summary,
            countIf(step = 'updated') AS how_many_updates,
            countIf(step = 'acknowledged') AS acknowledgements,
            argMaxIf(acknowledged_by, log_position, step = 'acknowledged') AS who,
            argMaxIf(occurred_at, log_position, step = 'acknowledged') AS seen_at,
            max(appended_at) AS newest_at
        FROM {database}.alert_history
        GROUP BY id
        -- An acknowledgement of an alert that is not known makes none.
        HAVING newest_step != ''
    )
SELECT
    id AS alert_id,
    multiIf(newest_step = 'resolved', 'resolved', newest_step = 'pending', 'pending', 'open') AS state,
    model AS model_id,
    ifNull(about.1, '') AS version, ifNull(about.2, '') AS environment, ifNull(about.3, '') AS arm,
    ifNull(about.4, '') AS kind, ifNull(about.5, '') AS rule, ifNull(about.6, '') AS subject,
    ifNull(about.7, '') AS metric, ifNull(about.8, '') AS statistic, ifNull(about.9, '') AS window,
    ifNull(newest_severity, '') AS severity,
    assumeNotNull(first_at) AS opened_at,
    if(raises > 0, first_raised, NULL) AS raised_at,
    if(state = 'resolved', first_resolved, NULL) AS resolved_at,
    why AS reason,
    value_at_first AS first_value, value_at_last AS last_value, newest_threshold AS threshold,
    ifNull(newest_samples, 0) AS samples, newest_summary AS summary, how_many_updates AS updates,
    who AS acknowledged_by,
    if(acknowledgements > 0, seen_at, NULL) AS acknowledged_at,
    toBool(arrayExists(
        silence -> silence.1 = model AND silence.2 IN ('', rule) AND silence.3 IN ('', subject),
        (SELECT groupArray((model_id, rule, subject)) FROM {database}.alert_silences WHERE active)
    )) AS silenced,
    newest_at AS appended_at
FROM steps
COMMENT 'One row an alert, as it is now.';
