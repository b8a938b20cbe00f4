-- History that has to be judged again.

-- name: mark_dirty
-- A range of a tag has to be judged again; it becomes one with those that are near.
WITH near AS (
    DELETE FROM dirty_range
    WHERE tag_id = %(tag)s AND time_from <= %(to)s::timestamptz + %(apart)s
      AND time_to >= %(from)s::timestamptz - %(apart)s
    RETURNING time_from, time_to, marked_at)
INSERT INTO dirty_range (tag_id, time_from, time_to, marked_at)
SELECT %(tag)s, least(min(time_from), %(from)s), greatest(max(time_to), %(to)s),
       greatest(max(marked_at), %(at)s)
FROM near;

-- name: join_dirty
-- Where a tag has too many ranges, they become one across all but the widest gaps.
WITH taken AS (
    DELETE FROM dirty_range
    WHERE tag_id = %(tag)s
      AND (SELECT count(*) FROM dirty_range WHERE tag_id = %(tag)s) > %(most)s
    RETURNING time_from, time_to, marked_at),
spaced AS (
    SELECT *, time_from - lag(time_to) OVER (ORDER BY time_from) AS gap FROM taken),
ranked AS (
    SELECT *, row_number() OVER (ORDER BY gap DESC NULLS FIRST, time_from) AS place FROM spaced),
parted AS (
    SELECT *, count(*) FILTER (WHERE place <= %(most)s) OVER (ORDER BY time_from) AS part FROM ranked)
INSERT INTO dirty_range (tag_id, time_from, time_to, marked_at)
SELECT %(tag)s, min(time_from), max(time_to), max(marked_at) FROM parted GROUP BY part;

-- name: quiet_ranges
-- The oldest range of each tag into which nothing has come for a while; long ones last.
SELECT tag_id, time_from, time_to, marked_at
FROM (
    SELECT DISTINCT ON (tag_id) tag_id, time_from, time_to, marked_at
    FROM dirty_range JOIN tag ON tag.id = dirty_range.tag_id
    WHERE marked_at <= %(since)s
      AND (%(enterprises)s::int[] IS NULL OR tag.enterprise = ANY(%(enterprises)s))
    ORDER BY tag_id, time_from) oldest
ORDER BY time_to - time_from > %(piece)s, marked_at, tag_id
LIMIT %(limit)s;

-- name: time_of_sample
-- The time of a tag's sample of that number in a span; nothing where there are not so many.
SELECT time FROM sample
WHERE tag_id = %(tag)s AND time > %(from)s AND time <= %(to)s
ORDER BY time OFFSET %(samples)s LIMIT 1;

-- name: clean_range
-- Forget a piece, the first of its range, unless the range was marked again.
WITH gone AS (
    DELETE FROM dirty_range
    WHERE tag_id = %(tag)s AND time_from = %(from)s AND time_to <= %(to)s AND marked_at = %(marked_at)s
    RETURNING 1),
shortened AS (
    UPDATE dirty_range SET time_from = %(to)s
    WHERE tag_id = %(tag)s AND time_from = %(from)s AND time_to > %(to)s AND marked_at = %(marked_at)s
    RETURNING 1)
SELECT EXISTS (SELECT FROM gone) OR EXISTS (SELECT FROM shortened);
