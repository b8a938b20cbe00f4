-- The archive filter.

-- name: thinned_tags
-- Tags of which a day has been thinned out, and those of which something on it or near it is still to be judged.
SELECT tag_id FROM thinned_day WHERE day = %(day)s
UNION
SELECT tag_id FROM dirty_range
WHERE time_from < %(end)s::timestamptz + %(around)s AND time_to >= %(day)s::timestamptz - %(around)s;

-- name: samples_to_thin
-- Samples of a tag on a day that are in the roll-ups, packed into one row, by time.
SELECT string_agg(
    timestamptz_send(time) || float8send(value) || int4send(quality::int4 << 16 | flags & 65535), ''::bytea ORDER BY time)
FROM sample
WHERE tag_id = %(tag)s AND time >= %(day)s AND time < %(end)s
  AND received_at <= (SELECT done FROM rollup_state);

-- name: alarms_to_keep
-- When alarms of a tag began and ended on a day or near it.
SELECT onset, ended FROM alarm
WHERE tag_id = %(tag)s AND onset < %(end)s AND (ended IS NULL OR ended >= %(day)s);

-- name: delete_thinned
DELETE FROM sample
WHERE tag_id = %(tag)s AND time = ANY(%(times)s::timestamptz[]) AND time >= %(day)s AND time < %(end)s;

-- name: note_thinned
INSERT INTO thinned_day (tag_id, day, stored, deleted, deadband, deviation, thinned_at)
VALUES (%(tag)s, %(day)s, %(stored)s, %(deleted)s, %(deadband)s, %(deviation)s, %(at)s)
ON CONFLICT (tag_id, day) DO NOTHING;
