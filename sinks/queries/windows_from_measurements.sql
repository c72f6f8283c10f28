-- The windows of measurement_windows, computed from measurements alone: one row a series, window,
-- end, metric, and `final`: false as decided 1 s after the end, true where later measurements
-- changed it. Windows that end after {since} and not after {until}; metrics that come from ground
-- truth are not in measurements. For checks and for windows older than the stream: a measurement
-- is read into every window that it is in.
WITH
    counted AS
    (
        SELECT
            model_id, version, environment, arm, captured_at, appended_at, partition, offset,
            -- The metric without a name counts measurements, whatever they measured.
            arrayConcat(
                [('', toNullable(0.))],
                [
                    ('detect_ms', detect_ms), ('mark_ms', mark_ms), ('align_ms', align_ms),
                    ('mask_ms', mask_ms), ('merge_ms', merge_ms), ('output_ms', output_ms),
                    ('latency_ms', latency_ms), ('fps', fps),
                    ('dropped_frames', toFloat64(dropped_frames)), ('faces', toFloat64(faces)),
                    ('detection_score', detection_score),
                    ('faces_unmasked', toFloat64(faces_unmasked)),
                    ('mask_coverage', mask_coverage), ('luma_mean', luma_mean),
                    ('luma_std', luma_std), ('laplacian_var', laplacian_var),
                    ('face_size', face_size)
                ],
                arrayMap((name, value) -> (toString(name), toNullable(value)), extra_names, extra_values)
            ) AS metrics
        FROM {database}.measurements
        WHERE NOT is_late
            AND appended_at > {since:DateTime64(6, 'UTC')} - INTERVAL 2 HOUR
            AND appended_at <= {until:DateTime64(6, 'UTC')} + INTERVAL 10 SECOND
    ),
    -- Buckets of 10 s, 1 min and 5 min make windows of 1 min, 5 min and 1 h that end with them.
    by_capture AS
    (
        SELECT
            model_id, version, environment, arm, appended_at, metrics, final,
            place.1 AS window, place.2 AS end, place.2 - toIntervalSecond(place.3) AS start
        FROM
        (
            SELECT *, place, [false, true] AS finals
            FROM counted
            ARRAY JOIN arrayFlatten(arrayMap(
                (name, length, hop) -> arrayMap(
                    number -> (
                        name,
                        toDateTime64(
                            (intDiv(toUnixTimestamp64Micro(captured_at), 1000000 * hop) + 1 + number) * hop,
                            6, 'UTC'),
                        length),
                    range(intDiv(length, hop))),
                ['10s', '1m', '5m', '1h'], [10, 60, 300, 3600], [10, 10, 60, 300])) AS place
        )
        ARRAY JOIN finals AS final
        WHERE final OR appended_at <= end + INTERVAL 1 SECOND
    ),
    -- Told at the end of a minute, and at any other cut where a tenth of them is new.
    newest AS
    (
        SELECT
            model_id, version, environment, arm, appended_at, metrics, 'last_1000' AS window, end,
            min(appended_at) OVER same AS start,
            false AS final,
            toUnixTimestamp(end) % 60 = 0
                OR countIf(appended_at > end - INTERVAL 9 SECOND) OVER same * 10 >= count() OVER same
                AS is_told
        FROM
        (
            SELECT
                *,
                -- The first cut at or after the append, of those every 10 s, and the hour after it.
                intDiv(toUnixTimestamp64Milli(appended_at) + 8999, 10000) AS first,
                toDateTime64((first + number) * 10, 6, 'UTC') AS end
            FROM counted
            ARRAY JOIN range(361) AS number
            WHERE end > {since:DateTime64(6, 'UTC')} AND end <= {until:DateTime64(6, 'UTC')}
                AND appended_at > end + INTERVAL 1 SECOND - INTERVAL 1 HOUR
            ORDER BY appended_at DESC, partition DESC, offset DESC
            LIMIT 1000 BY model_id, version, environment, arm, end
        )
        WINDOW same AS (PARTITION BY model_id, version, environment, arm, end)
    ),
    occurrences AS
    (
        SELECT model_id, version, environment, arm, window, start, end, final, metrics FROM by_capture
        WHERE end > {since:DateTime64(6, 'UTC')} AND end <= {until:DateTime64(6, 'UTC')}
        UNION ALL
        SELECT model_id, version, environment, arm, window, start, end, final, metrics FROM newest
        WHERE is_told
    ),
    taken AS
    (
        SELECT
            model_id, version, environment, arm, window, start, end, final,
            metric.1 AS name, assumeNotNull(metric.2) AS value
        FROM occurrences
        ARRAY JOIN metrics AS metric
        WHERE isNotNull(metric.2) AND abs(metric.2) < exp2(42)
    ),
    -- A sum is whole numbers and 2^-40ths above them; a bin is the sign and the first bits of a value.
    totals AS
    (
        SELECT
            model_id, version, environment, arm, window, start, end, final, name,
            count() AS count,
            sum(toInt64(floor(value))) AS wholes,
            sum(toInt64(roundBankers((value - floor(value)) * exp2(40)))) AS fractions,
            min(value) AS least,
            max(value) AS most,
            arraySort(groupArray(if(
                value = 0, 0,
                toInt64(sign(value)) * (toInt64(bitShiftRight(reinterpretAsUInt64(abs(value)), 45)) + 1)
            ))) AS bins
        FROM taken
        GROUP BY model_id, version, environment, arm, window, start, end, final, name
    )
SELECT
    model_id, version, environment, arm, window, start, end, final, measurements, name AS metric,
    count,
    wholes + bitShiftRight(fractions, 40) AS sum_whole,
    bitAnd(fractions, bitShiftLeft(1::Int64, 40) - 1) AS sum_fraction,
    (sum_whole + sum_fraction * exp2(-40)) / count AS mean,
    least AS min, most AS max,
    ranked[1] AS p50, ranked[2] AS p95, ranked[3] AS p99
FROM
(
    SELECT
        *,
        max(if(name = '', count, 0))
            OVER (PARTITION BY model_id, version, environment, arm, window, end, final) AS measurements,
        max(if(name = '' AND NOT final, count, 0))
            OVER (PARTITION BY model_id, version, environment, arm, window, end) AS decided_measurements,
        -- The bin of nearest rank, and its middle within what was measured.
        arrayMap(
            bin -> greatest(least, least(most, sign(bin) / 2 * (
                reinterpretAsFloat64(bitShiftLeft(toUInt64(greatest(abs(bin), 1) - 1), 45))
                + reinterpretAsFloat64(bitShiftLeft(toUInt64(abs(bin)), 45))))),
            arrayMap(share -> bins[greatest(1, toUInt64(ceil(share * count)))], [0.5, 0.95, 0.99])
        ) AS ranked
    FROM totals
)
WHERE name != '' AND (NOT final OR measurements > decided_measurements)
ORDER BY model_id, version, environment, arm, window, end, final, metric
