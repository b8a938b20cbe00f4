-- Samples in.

-- name: copy_samples
-- Rows that are all new, straight in.
COPY sample (tag_id, time, value, quality, flags, received_at) FROM STDIN (FORMAT BINARY);

-- name: create_sample_staging
-- A place for rows of which some may be there already.
CREATE TEMPORARY TABLE IF NOT EXISTS sample_staging (
    ordinal int4, first bool, tag_id int4, time timestamptz, value float8, quality int2, flags int2,
    received_at timestamptz, stored bool
) ON COMMIT DELETE ROWS;

-- name: clear_sample_staging
-- Of an earlier group in the same transaction.
DELETE FROM sample_staging;

-- name: copy_sample_staging
-- Rows with their position in the group, and whether they are the first of their key in it.
COPY sample_staging (ordinal, first, tag_id, time, value, quality, flags, received_at)
FROM STDIN (FORMAT BINARY);

-- name: insert_staged_samples
-- Store what is not there; what was there first stands. Remember which were stored.
WITH fresh AS (
    INSERT INTO sample (tag_id, time, value, quality, flags, received_at)
    SELECT tag_id, time, value, quality, flags, received_at
    FROM sample_staging WHERE first ORDER BY tag_id, time
    ON CONFLICT DO NOTHING
    RETURNING tag_id, time)
UPDATE sample_staging SET stored = true
FROM fresh
WHERE sample_staging.first AND sample_staging.tag_id = fresh.tag_id AND sample_staging.time = fresh.time;

-- name: compare_staged_samples
-- Each row of a span that was not stored, whether it says the same as the one that stands (NaN = NaN
-- here), and whether it is the one that stands. The bounds let the planner leave out chunks; LIMIT keeps it
-- to one look into the index for each row.
SELECT ordinal, sample_staging.value = standing.value,
       sample_staging.first AND sample_staging.received_at = standing.received_at
FROM sample_staging CROSS JOIN LATERAL (
    SELECT value, received_at FROM sample
    WHERE sample.tag_id = sample_staging.tag_id AND sample.time = sample_staging.time
      AND sample.time BETWEEN %(from)s AND %(to)s
    LIMIT 1) standing
WHERE sample_staging.stored IS NULL AND sample_staging.time BETWEEN %(from)s AND %(to)s;

-- name: create_latest_staging
-- A place for the newest sample of each tag of a group.
CREATE TEMPORARY TABLE IF NOT EXISTS latest_staging (LIKE tag_latest) ON COMMIT DELETE ROWS;

-- name: clear_latest_staging
-- Of an earlier group in the same transaction.
DELETE FROM latest_staging;

-- name: copy_latest_staging
-- The newest sample of each tag of a group.
COPY latest_staging (tag_id, time, received_at, value, quality) FROM STDIN (FORMAT BINARY);

-- name: upsert_latest
-- The newest by event time: history that comes late does not replace it.
INSERT INTO tag_latest (tag_id, time, received_at, value, quality)
SELECT tag_id, time, received_at, value, quality FROM latest_staging ORDER BY tag_id
ON CONFLICT (tag_id) DO UPDATE
SET time = excluded.time, received_at = excluded.received_at,
    value = excluded.value, quality = excluded.quality
WHERE tag_latest.time < excluded.time;

-- name: latest_is_behind
-- tag_latest lacks samples of this transaction, of which the oldest was received then.
INSERT INTO latest_behind (shard, since) VALUES (%(shard)s, %(since)s)
ON CONFLICT (shard) DO UPDATE SET since = excluded.since WHERE latest_behind.since > excluded.since;

-- name: latest_is_there
-- tag_latest has everything again.
DELETE FROM latest_behind WHERE shard = %(shard)s;

-- name: latest_since
-- Since when tag_latest may lack samples; no row where it lacks none.
SELECT since FROM latest_behind WHERE shard = %(shard)s;

-- name: catch_up_latest
-- Bring tag_latest up to the samples of a span of time that were received since then.
INSERT INTO tag_latest (tag_id, time, received_at, value, quality)
SELECT DISTINCT ON (tag_id) tag_id, time, received_at, value, quality FROM sample
WHERE received_at >= %(since)s AND time >= %(from)s AND time < %(to)s
ORDER BY tag_id, time DESC
ON CONFLICT (tag_id) DO UPDATE
SET time = excluded.time, received_at = excluded.received_at,
    value = excluded.value, quality = excluded.quality
WHERE tag_latest.time < excluded.time;

-- name: last_stored
-- The time of the newest sample of every tag.
SELECT tag_id, time FROM tag_latest;
