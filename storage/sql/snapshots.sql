-- The engine's memory.

-- name: save_snapshot
-- Replace a shard's snapshot.
INSERT INTO engine_snapshot (shard, stamp, taken_at, body)
VALUES (%(shard)s, %(stamp)s, %(at)s, %(body)s)
ON CONFLICT (shard) DO UPDATE
SET stamp = excluded.stamp, taken_at = excluded.taken_at, body = excluded.body;

-- name: load_snapshot
-- A shard's snapshot.
SELECT stamp, taken_at, body FROM engine_snapshot WHERE shard = %(shard)s;

-- name: samples_after
-- Samples of a span of time that the live rules saw after a stamp, packed: one row for each stamp.
SELECT received_at, string_agg(
    int4send(tag_id) || timestamptz_send(time) || float8send(value) || int2send(quality) || int2send(flags),
    ''::bytea ORDER BY tag_id, time)
FROM sample
WHERE received_at > %(after)s AND flags & %(history)s = 0
  AND time >= %(from)s AND time < %(to)s
GROUP BY received_at
ORDER BY received_at;

-- name: samples_between
-- All samples of a tag in a span of time, packed into one row.
SELECT max(received_at), string_agg(
    int4send(tag_id) || timestamptz_send(time) || float8send(value) || int2send(quality) || int2send(flags),
    ''::bytea ORDER BY time)
FROM sample
WHERE tag_id = %(tag)s AND time BETWEEN %(from)s AND %(to)s;
