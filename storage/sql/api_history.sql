-- The past of one tag.

-- name: raw_samples
-- Samples of [from, to) as they are stored; NULL is a sample without a value.
SELECT time, nullif(value, 'NaN') AS value, quality, flags
FROM sample
WHERE tag_id = %(tag)s AND time >= %(from)s AND time < %(to)s
ORDER BY time
LIMIT %(limit)s

-- name: history_reach
-- What there is to read from; see rollup_state.
SELECT hours, raw_from, minutes_from FROM rollup_state

-- name: history_buckets
-- Buckets of one width from `origin` on; a bucket without samples has no row. Every extreme survives, count counts the
-- samples with a value, samples all, quality is the worst of them. Spans that are not wanted are empty: [x, x).
WITH part AS (
    SELECT time, low, high, total, n, empty, quality FROM sample_minute
    WHERE tag_id = %(tag)s AND time >= %(minutes_from)s AND time < %(minutes_to)s
    UNION ALL
    SELECT time, low, high, total, n, empty, quality FROM sample_minute
    WHERE tag_id = %(tag)s AND time >= %(more_minutes_from)s AND time < %(more_minutes_to)s
    UNION ALL
    SELECT time, low, high, total, n, empty, quality FROM sample_hour
    WHERE tag_id = %(tag)s AND time >= %(hours_from)s AND time < %(hours_to)s
    UNION ALL
    SELECT time, value, value, CASE WHEN abs(value) < 1e290 THEN value ELSE 0 END,
           (value > '-Infinity' AND value < 'Infinity')::int4, (NOT (value > '-Infinity' AND value < 'Infinity'))::int4,
           quality
    FROM sample
    WHERE tag_id = %(tag)s AND time >= %(raw_from)s AND time < %(raw_to)s
    UNION ALL
    SELECT time, value, value, CASE WHEN abs(value) < 1e290 THEN value ELSE 0 END,
           (value > '-Infinity' AND value < 'Infinity')::int4, (NOT (value > '-Infinity' AND value < 'Infinity'))::int4,
           quality
    FROM sample
    WHERE tag_id = %(tag)s AND time >= %(more_raw_from)s AND time < %(more_raw_to)s)
SELECT greatest(date_bin(%(width)s::interval, time, %(origin)s::timestamptz), %(from)s::timestamptz) AS time,
       min(low) FILTER (WHERE n > 0) AS low,
       max(high) FILTER (WHERE n > 0) AS high,
       CASE WHEN abs(sum(total)) < 1e-290 THEN 0 ELSE sum(total) END / nullif(sum(n), 0)::float8 AS mean,
       sum(n)::int8 AS count,
       sum(n + empty)::int8 AS samples,
       min(quality) AS quality
FROM part
GROUP BY 1
ORDER BY 1
