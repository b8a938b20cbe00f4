-- Roll-ups. docs/storage.md tells how they stay right whatever comes late; storage/rollup.py does it.

-- name: enter_rollup
-- Two statements: until this transaction ends no step begins, and then up to which stamp the last one goes.
SELECT pg_advisory_xact_lock_shared(1212438092, 7);
SELECT closed FROM rollup_state;

-- name: copy_rollup_late
COPY rollup_late (
    received_at, tag_id, time, low, high, total, n, empty, first_at, first, last_at, last, quality)
FROM STDIN (FORMAT BINARY);

-- name: rollup_state
-- How far roll-ups are.
SELECT done, closed, upto, hours, raw_from, minutes_from, hours_from FROM rollup_state;

-- name: lock_rollup_state
-- One process rolls up at a time, until its transaction ends.
SELECT done, closed, upto, hours, raw_from, minutes_from, hours_from FROM rollup_state FOR UPDATE;

-- name: rollup_manners
-- One core, and memory enough to group a minute of 100,000 tags.
SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL work_mem = '128MB';

-- name: next_received
-- The first stamp of a sample after `after`, in a span of time.
SELECT received_at FROM sample
WHERE received_at > %(after)s AND received_at <= %(until)s AND time >= %(from)s AND time < %(to)s
ORDER BY received_at LIMIT 1;

-- name: begin_step
-- Nobody who stores samples is between reading `closed` and his commit; waits for that two seconds at most.
SET LOCAL lock_timeout = '2s'; SELECT pg_advisory_xact_lock(1212438092, 7);

-- name: close_step
-- From now on samples received up to here leave parts. What is older than the first step is late.
UPDATE rollup_state
SET closed = %(to)s, hours = CASE WHEN hours = '2000-01-01Z' THEN %(hour)s ELSE hours END
WHERE done = %(done)s AND closed = done;

-- name: roll_up_received
-- Parts of what was received in the step, of times in a span. One statement, so one snapshot: parts that others have left
-- of the same samples are either seen with them, and go, or neither is.
WITH gone AS (
    DELETE FROM rollup_late
    WHERE received_at > %(done)s AND received_at <= %(closed)s AND time >= %(from)s AND time < %(to)s),
grouped AS (
    SELECT tag_id, date_bin('1 minute', time, '2000-01-01Z') AS minute,
           min(value) FILTER (WHERE {finite}) AS low,
           max(value) FILTER (WHERE {finite}) AS high,
           sum(value) FILTER (WHERE abs(value) < 1e290) AS total,
           count(*) FILTER (WHERE {finite}) AS n,
           count(*) AS samples,
           min(time) FILTER (WHERE {finite}) AS first_at,
           max(time) FILTER (WHERE {finite}) AS last_at,
           {first} AS first,
           {last} AS last,
           min(quality) AS quality
    FROM sample
    WHERE received_at > %(done)s AND received_at <= %(closed)s AND time >= %(from)s AND time < %(to)s
    GROUP BY tag_id, minute),
part AS MATERIALIZED (
    SELECT tag_id, minute AS time, coalesce(low, 'NaN') AS low, coalesce(high, 'NaN') AS high, coalesce(total, 0) AS total,
           n, samples - n AS empty, coalesce(first_at, minute) AS first_at,
           CASE n WHEN 0 THEN 'NaN' WHEN 1 THEN low ELSE {first_value} END AS first,
           coalesce(last_at, minute) AS last_at,
           CASE n WHEN 0 THEN 'NaN' WHEN 1 THEN low ELSE {last_value} END AS last, quality
    FROM grouped),
late AS (
    INSERT INTO rollup_late
    SELECT timestamptz '2000-01-01Z', part.* FROM part WHERE time < %(hours)s)
INSERT INTO rollup_part SELECT part.* FROM part WHERE time >= %(hours)s;

-- name: advance_step
-- The step is in up to this time.
UPDATE rollup_state SET upto = %(upto)s;

-- name: end_step
UPDATE rollup_state SET done = closed, upto = '2000-01-01Z';

-- name: next_part
-- The first minute of which there are parts.
SELECT min(time) FROM rollup_part WHERE time < %(before)s;

-- name: finish_hour
-- Parts of an hour become its minutes and the hour itself, by tag, so that a tag's hour lies together.
WITH parts AS (
    DELETE FROM rollup_part WHERE time >= %(hour)s AND time < %(after)s
    RETURNING tag_id, time, low, high, total, n, empty, first_at, first, last_at, last, quality),
late AS (
    DELETE FROM rollup_late WHERE time >= %(hour)s AND time < %(after)s
    RETURNING tag_id, time, low, high, total, n, empty, first_at, first, last_at, last, quality),
part AS (SELECT * FROM parts UNION ALL SELECT * FROM late),
minute AS MATERIALIZED (SELECT tag_id, time, {merged} FROM part GROUP BY tag_id, time ORDER BY tag_id, time),
minutes AS (INSERT INTO sample_minute SELECT * FROM minute)
INSERT INTO sample_hour
SELECT tag_id, %(hour)s::timestamptz, {merged} FROM minute AS part GROUP BY tag_id ORDER BY tag_id;

-- name: set_hours
-- Hours before this one are in the roll-ups.
UPDATE rollup_state SET hours = %(hours)s;

-- name: late_months
-- The months of late parts.
SELECT DISTINCT date_trunc('month', time, 'UTC') FROM rollup_late WHERE time < %(hours)s;

-- name: merge_late
-- Some late parts into the minutes and hours that are there; how many.
WITH taken AS (
    DELETE FROM rollup_late
    WHERE ctid = ANY(ARRAY(SELECT ctid FROM rollup_late WHERE time < %(hours)s LIMIT %(most)s))
    RETURNING tag_id, time, low, high, total, n, empty, first_at, first, last_at, last, quality),
minute AS MATERIALIZED (
    SELECT tag_id, time, {merged} FROM taken AS part GROUP BY tag_id, time ORDER BY tag_id, time),
minutes AS (
    INSERT INTO sample_minute AS old SELECT * FROM minute
    ON CONFLICT (tag_id, time) DO UPDATE SET {together}),
hours AS (
    INSERT INTO sample_hour AS old
    SELECT tag_id, date_bin('1 hour', time, '2000-01-01Z') AS hour, {merged}
    FROM minute AS part GROUP BY tag_id, hour ORDER BY tag_id, hour
    ON CONFLICT (tag_id, time) DO UPDATE SET {together})
SELECT count(*) FROM taken;
