-- The past of one tag.

-- name: raw_samples
-- Samples of [from, to) as they are stored; NULL is a sample without a value.
SELECT time, nullif(value, 'NaN') AS value, quality
FROM sample
WHERE tag_id = %(tag)s AND time >= %(from)s AND time < %(to)s
ORDER BY time
LIMIT %(limit)s

-- name: bucketed_samples
-- Buckets of one width from `from` on; a bucket without samples has no row. Every extreme survives, count counts the
-- samples with a value, quality is the worst of all.
SELECT date_bin(%(width)s::interval, time, %(from)s::timestamptz) AS time,
       min(value) FILTER (WHERE value <> 'NaN') AS low,
       max(value) FILTER (WHERE value <> 'NaN') AS high,
       avg(value) FILTER (WHERE value <> 'NaN') AS mean,
       count(*) FILTER (WHERE value <> 'NaN') AS count,
       min(quality) AS quality
FROM sample
WHERE tag_id = %(tag)s AND time >= %(from)s AND time < %(to)s
GROUP BY 1
ORDER BY 1
