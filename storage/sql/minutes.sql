-- What jobs read of the past of many tags at once.

-- name: minute_means
-- Means of the good samples of each minute of [from, to), counted from `from`; packed, one row for each tag.
SELECT tag_id, string_agg(int4send(minute) || float8send(mean), ''::bytea)
FROM (
    SELECT tag_id, floor(extract(epoch FROM time - %(from)s::timestamptz) / 60)::int4 AS minute,
           avg(value) AS mean
    FROM sample
    WHERE tag_id = ANY(%(tags)s) AND time >= %(from)s AND time < %(to)s AND quality >= 192
      AND value > '-Infinity' AND value < 'Infinity'
    GROUP BY 1, 2) AS minutes
GROUP BY tag_id;
