CREATE OR REPLACE VIEW {database}.window_progress
(
    partition UInt32 COMMENT 'Partition of the inference topic.',
    partitions UInt32 COMMENT 'How many partitions the inference topic has.',
    advanced_to DateTime64(6, 'UTC') COMMENT 'Append time up to which all its measurements are in windows.',
    measurements Int64 COMMENT 'Measurements taken.',
    late Int64 COMMENT 'Measurements appended more than 10 s after their capture: rows, but in no window.',
    refused Int64 COMMENT 'Records that are no valid measurement.',
    out_of_range Int64 COMMENT 'Values of 2^42 or more, which no window takes.',
    truths Int64 COMMENT 'Ground truths that met their sample.',
    unmatched_truths Int64 COMMENT 'Ground truths without a sample.',
    evicted_samples Int64 COMMENT 'Samples dropped without a ground truth because the newest took their place.'
)
AS SELECT
    source_partition AS partition,
    argMax(p.source_partitions, p.advanced_to) AS partitions,
    max(p.advanced_to) AS advanced_to,
    sum(p.measurements) AS measurements,
    sum(p.late) AS late,
    sum(p.refused) AS refused,
    sum(p.out_of_range) AS out_of_range,
    sum(p.truths) AS truths,
    sum(p.unmatched_truths) AS unmatched_truths,
    sum(p.evicted_samples) AS evicted_samples
FROM
(
    SELECT *
    FROM {database}.window_progress_rows
    -- The first row of a fact that was sent again counts.
    ORDER BY appended_at, topic_id, window_progress_rows.partition, offset
    LIMIT 1 BY event_id_bytes
) AS p
GROUP BY source_partition
COMMENT 'How far windows have come in every partition of the inference topic, and what it held.';
