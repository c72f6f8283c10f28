CREATE OR REPLACE VIEW {database}.drift
(
    model_id LowCardinality(String) COMMENT 'Which model.',
    version LowCardinality(String) COMMENT 'Semantic version with a leading v.',
    environment LowCardinality(String) COMMENT 'production, staging, …',
    arm LowCardinality(String) COMMENT 'champion, candidate, …',
    window LowCardinality(String) COMMENT 'Length of the window: 10s, 1m, 5m, 1h or last_1000.',
    start DateTime64(6, 'UTC') COMMENT 'First microsecond of the window.',
    end DateTime64(6, 'UTC') COMMENT 'End of the window, which it does not include.',
    feature LowCardinality(String) COMMENT 'Feature or score.',
    kind LowCardinality(String) COMMENT 'NUMERIC or CATEGORICAL.',
    psi Float64 COMMENT 'Population stability index.',
    js Float64 COMMENT 'Jensen-Shannon distance, 0 to 1.',
    statistic Float64 COMMENT 'Kolmogorov-Smirnov distance, or chi-square of a categorical feature.',
    p_value Float64 COMMENT 'Of the test, with effective samples.',
    adjusted_p_value Float64 COMMENT 'p_value after the correction for several features.',
    samples Int64 COMMENT 'Values in the window.',
    effective_samples Float64 COMMENT 'Independent values that the autocorrelated ones are worth.',
    drifted Bool COMMENT 'Whether the policy calls it drift.',
    streak Int64 COMMENT 'Windows in a row in which it was.',
    profile_id UUID COMMENT 'Identity of the ReferenceProfiled that was compared with.',
    measured_at DateTime64(3, 'UTC') COMMENT 'When Kafka appended the comparison.',
    event_id UUID COMMENT 'Identity of the fact.'
)
AS SELECT
    model_id, version, environment, arm, window, any(d.start) AS start, end, feature,
    any(d.kind) AS kind, any(d.psi) AS psi, any(d.js) AS js, any(d.statistic) AS statistic,
    any(d.p_value) AS p_value, any(d.adjusted_p_value) AS adjusted_p_value, any(d.samples) AS samples,
    any(d.effective_samples) AS effective_samples, any(d.drifted) AS drifted, any(d.streak) AS streak,
    toUUID(UUIDNumToString(any(d.profile_id_bytes))) AS profile_id,
    min(d.appended_at) AS measured_at, toUUID(UUIDNumToString(event_id_bytes)) AS event_id
FROM {database}.drift_rows AS d
GROUP BY model_id, version, environment, arm, window, end, feature, event_id_bytes
COMMENT 'One row a series, window, end and feature: how far it is from the reference profile.';
