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
    SELECT 'runs with metrics', countIf(run_id IN (SELECT run_id FROM {database}.experiment_metric_points)), count()
    FROM {database}.experiments
    UNION ALL
    SELECT 'runs that ended', countIf(status != 'RUNNING'), count() FROM {database}.experiments
)
COMMENT 'How much of what happens is on record: the success metrics of the platform.';
