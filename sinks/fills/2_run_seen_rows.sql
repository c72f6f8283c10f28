-- Only runs that were never seen: of any other, the projector has said it since.
INSERT INTO {database}.run_seen_rows (run_id, seen_at)
SELECT run_id, max(appended_at)
FROM {database}.experiment_metric_points
WHERE (topic_id, partition) IN %(places)s
AND run_id IN
(
    SELECT run_id FROM {database}.run_rows
    WHERE event_type = 'RunStarted' AND run_id NOT IN (SELECT run_id FROM {database}.run_seen_rows)
)
GROUP BY run_id
