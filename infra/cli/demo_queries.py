"""The questions that the demo asks ClickHouse, as anybody may ask them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in words and in SQL."""

    title: str
    sql: str


QUESTIONS = (
    Question(
        "The registry",
        """SELECT model_id, version, artifact_size, left(artifact_sha256, 12) AS sha256,
       JSONExtractString(metadata_json, 'task') AS task, registered_at
FROM model_versions
ORDER BY model_id, registered_at""",
    ),
    Question(
        "The experiment: precision, recall and latency of each step",
        """SELECT run_id, step,
       maxIf(value, name = 'threshold') AS threshold,
       round(maxIf(value, name = 'precision'), 3) AS precision,
       round(maxIf(value, name = 'recall'), 3) AS recall,
       round(maxIf(value, name = 'latency_ms'), 1) AS latency_ms
FROM experiment_metrics
WHERE step IS NOT NULL AND has(%(runs)s, run_id)
GROUP BY run_id, step
ORDER BY run_id, step""",
    ),
    Question(
        "The runs compared",
        """SELECT run_id, status,
       concat(JSONExtractRaw(config_json, 'input_width'), 'x',
              JSONExtractRaw(config_json, 'input_height')) AS input,
       maxIf(final, name = 'best_threshold') AS best_threshold,
       round(maxIf(final, name = 'best_f1'), 3) AS best_f1,
       round(minIf(minimum, name = 'latency_ms'), 1) AS fastest_ms
FROM experiment_comparison
WHERE has(%(runs)s, run_id)
GROUP BY run_id, status, config_json
ORDER BY best_f1 DESC, fastest_ms""",
    ),
    Question(
        "Measurements by model, version and node",
        """SELECT model_id, version, node_id, count() AS measurements,
       round(quantile(0.50)(latency_ms), 1) AS p50_ms,
       round(quantile(0.95)(latency_ms), 1) AS p95_ms,
       round(quantile(0.99)(latency_ms), 1) AS p99_ms,
       round(avg(m.fps), 1) AS fps, sum(m.dropped_frames) AS dropped,
       sum(m.faces_unmasked) AS unmasked
FROM measurements AS m
WHERE captured_at >= fromUnixTimestamp64Micro(%(since_us)s)
GROUP BY model_id, version, node_id
ORDER BY model_id, version, node_id""",
    ),
    Question(
        "What happened while the light dimmed",
        """SELECT node_id,
       intDiv(dateDiff('millisecond', first, captured_at), 2500) * 2.5 AS second,
       round(avg(m.luma_mean), 1) AS luma, bar(luma, 0, 160, 20) AS light,
       round(avg(m.detection_score), 3) AS score, bar(score, 0.5, 1, 20) AS confidence,
       round(avg(m.laplacian_var)) AS sharpness, sum(m.faces_unmasked) AS unmasked
FROM measurements AS m
JOIN (SELECT session_id, min(captured_at) AS first FROM measurements
      WHERE captured_at >= fromUnixTimestamp64Micro(%(since_us)s)
      GROUP BY session_id) AS sessions USING session_id
GROUP BY node_id, second
ORDER BY node_id, second""",
    ),
    Question(
        "What could not be read on the way (dead letters)",
        """SELECT topic, reason, count() AS dead_letters
FROM dead_letters
GROUP BY topic, reason""",
    ),
    Question(
        "The alerts and what became of them",
        """SELECT rule, subject, state, opened_at, raised_at, resolved_at, summary
FROM alerts
WHERE opened_at >= fromUnixTimestamp64Micro(%(since_us)s)
ORDER BY opened_at""",
    ),
)
