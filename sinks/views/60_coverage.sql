CREATE OR REPLACE VIEW {database}.coverage
(
    name String COMMENT 'What is covered.',
    covered UInt64 COMMENT 'How many are.',
    total UInt64 COMMENT 'How many there are.',
    share Nullable(Float64) COMMENT 'covered / total; null where there are none.'
)
AS SELECT name, covered, total, if(total = 0, NULL, covered / total) AS share
FROM
(
    SELECT 'measured model versions that are registered' AS name,
           countIf(version_known) AS covered, count() AS total
    FROM
    (
        SELECT model_id, version,
               (toString(model_id), toString(version)) IN (SELECT model_id, version FROM {database}.model_versions) AS version_known
        FROM {database}.measurement_rows GROUP BY model_id, version
    )
    UNION ALL
    SELECT 'model versions in use whose training run is tracked',
           countIf(ifNull(run_id, '') IN (SELECT toString(run_id) FROM {database}.experiments)), count()
    FROM {database}.model_versions WHERE NOT archived
    UNION ALL
    SELECT 'runs with metrics', countIf(run_id IN (SELECT run_id FROM {database}.experiment_metric_points)), count()
    FROM {database}.experiments
    UNION ALL
    SELECT 'runs that ended', countIf(status != 'RUNNING'), count() FROM {database}.experiments
    UNION ALL
    SELECT 'model versions behind an alias that are measured',
           countIf((model_id, version) IN (SELECT toString(model_id), toString(version) FROM {database}.measurement_rows GROUP BY model_id, version)),
           count()
    FROM {database}.model_versions
    WHERE notEmpty(aliases) AND NOT archived
    UNION ALL
    SELECT 'measured models that threshold rules judge',
           countIf(measured IN (SELECT model_id FROM {database}.threshold_rules)
                   OR '*' IN (SELECT model_id FROM {database}.threshold_rules)),
           count()
    FROM (SELECT toString(model_id) AS measured FROM {database}.measurement_rows GROUP BY model_id)
    UNION ALL
    SELECT 'measured model versions with a reference profile',
           countIf((measured.1, measured.2) IN
               (SELECT JSONExtractString(payload, 'model_id'), JSONExtractString(payload, 'version')
                FROM {database}.event_log WHERE topic = 'registry' AND event_type = 'ReferenceProfiled')),
           count()
    FROM (SELECT (toString(model_id), toString(version)) AS measured FROM {database}.measurement_rows GROUP BY model_id, version)
    UNION ALL
    SELECT 'open alerts that somebody looks after', countIf(acknowledged_by != ''), count()
    FROM {database}.open_alerts
    UNION ALL
    SELECT 'models in use with an ethics assessment',
           countIf(used IN (SELECT model_id FROM {database}.ethics_assessments WHERE status = 'assessed')),
           count()
    FROM (SELECT toString(model_id) AS used FROM {database}.model_versions WHERE NOT archived GROUP BY model_id)
    UNION ALL
    SELECT 'assessments that judged privacy', countIf(privacy_risk NOT IN ('', 'NOT_JUDGED')), count()
    FROM {database}.ethics_assessments WHERE status = 'assessed'
    UNION ALL
    SELECT 'model versions in use with a card',
           countIf((used.1, used.2) IN
               (SELECT subject, ifNull(version, '') FROM {database}.documents WHERE kind = 'MODEL_CARD' AND status = 'GENERATED')),
           count()
    FROM (SELECT (toString(model_id), toString(version)) AS used FROM {database}.model_versions WHERE NOT archived GROUP BY model_id, version)
    UNION ALL
    -- Of runs that end together the last asks for the one report that is made, which tells of all.
    SELECT 'ended runs with a report', countIf(reported IS NOT NULL OR asked_at <= experiment_reported), count()
    FROM
    (
        SELECT runs.status AS status, asked.reported AS reported, asked.asked_at AS asked_at,
               max(asked.reported) OVER (PARTITION BY runs.experiment_id) AS experiment_reported
        FROM {database}.experiments AS runs
        LEFT JOIN
        (
            SELECT subject, toNullable(min(requested_at)) AS asked_at, max(as_of) AS reported
            FROM {database}.documents WHERE kind = 'EXPERIMENT_REPORT' GROUP BY subject
        ) AS asked ON asked.subject = runs.run_id
    )
    WHERE status NOT IN ('RUNNING', 'LOST')
    UNION ALL
    SELECT 'versions measured in production that a deployment put there',
           countIf((measured.1, measured.2) IN (SELECT model_id, version FROM {database}.deployments WHERE environment = 'production')),
           count()
    FROM (SELECT (toString(model_id), toString(version)) AS measured FROM {database}.measurement_rows WHERE environment = 'production' GROUP BY model_id, version)
)
COMMENT 'How much of what happens is on record: the success metrics of the platform.';
