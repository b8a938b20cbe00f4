-- What goes because of its age.

-- name: may_go
-- Whether a chunk that is locked holds nothing that is not rolled up, and nothing that is to be judged again.
SELECT (SELECT closed = done FROM rollup_state)
   AND NOT EXISTS (SELECT FROM {chunk} WHERE received_at > (SELECT done FROM rollup_state))
   AND NOT EXISTS (
       SELECT FROM dirty_range
       WHERE time_from < %(end)s::timestamptz + %(around)s AND time_to >= %(begin)s::timestamptz - %(around)s);

-- name: gone_sample
UPDATE rollup_state SET raw_from = greatest(raw_from, %(end)s);

-- name: gone_sample_minute
UPDATE rollup_state SET minutes_from = greatest(minutes_from, %(end)s);

-- name: gone_sample_hour
UPDATE rollup_state SET hours_from = greatest(hours_from, %(end)s);

-- name: old_quarantine
DELETE FROM quarantine
WHERE ctid = ANY(ARRAY(SELECT ctid FROM quarantine WHERE received_at < %(before)s LIMIT %(most)s));

-- name: old_outbox
-- The newest row stays: places go on from it.
DELETE FROM outbox
WHERE seq = ANY(ARRAY(SELECT seq FROM outbox WHERE at < %(before)s LIMIT %(most)s))
  AND seq < (SELECT max(seq) FROM outbox);

-- name: old_session
DELETE FROM session WHERE expires <= %(before)s;

-- name: old_case_file
-- What was sent for a warning and no feedback names.
DELETE FROM case_file f
WHERE f.at < %(before)s AND NOT EXISTS (
    SELECT FROM case_feedback b
    WHERE b.case_id = f.case_id AND b.files @> jsonb_build_array(jsonb_build_object('id', f.id::text)));

-- name: old_thinned_day
DELETE FROM thinned_day WHERE day < %(before)s;

-- name: kept_sizes
-- What each of the big tables takes, in bytes, but for samples and roll-ups.
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE oid IN ('rollup_part'::regclass, 'rollup_late'::regclass, 'quarantine'::regclass, 'outbox'::regclass);

-- name: rows_in
-- How many rows a chunk has, as the server estimates; NULL: not counted yet.
SELECT nullif(reltuples, -1)::int8 FROM pg_class WHERE oid = %(chunk)s::regclass;

-- name: thinned
SELECT coalesce(sum(stored), 0)::int8, coalesce(sum(deleted), 0)::int8, count(*) FROM thinned_day;

-- name: data_directory
-- Where the server keeps its data; no row for who may not know.
SELECT setting FROM pg_settings WHERE name = 'data_directory';
