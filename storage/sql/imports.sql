-- Files of history.

-- name: find_import
-- The newest import of a file as a map reads it.
SELECT * FROM import_file
WHERE enterprise = %(enterprise)s AND digest = %(digest)s AND plan_digest = %(plan_digest)s
ORDER BY again DESC LIMIT 1;

-- name: add_import
-- A file begins; somebody who began it at the same moment was first.
INSERT INTO import_file (
    enterprise, digest, plan_digest, again, name, size, plan, report, started_by, started_at,
    updated_at, position, line)
VALUES (
    %(enterprise)s, %(digest)s, %(plan_digest)s, %(again)s, %(name)s, %(size)s, %(plan)s, %(report)s,
    %(by)s, %(at)s, %(at)s, %(position)s, %(line)s)
ON CONFLICT DO NOTHING;

-- name: lock_import
-- How far an import is, until the transaction ends.
SELECT * FROM import_file WHERE id = %(id)s FOR UPDATE;

-- name: advance_import
-- A piece more is stored.
UPDATE import_file
SET updated_at = %(at)s, position = %(position)s, line = %(line)s, pieces = pieces + 1,
    share = %(share)s, rows = rows + %(rows)s, bad_rows = bad_rows + %(bad_rows)s,
    cells = cells + %(cells)s, empty = empty + %(empty)s, refused = refused + %(refused)s,
    stored = stored + %(stored)s, duplicate = duplicate + %(duplicate)s,
    conflict = conflict + %(conflict)s, problems = %(problems)s, reported = %(reported)s,
    time_from = least(time_from, %(from)s), time_to = greatest(time_to, %(to)s)
WHERE id = %(id)s
RETURNING *;

-- name: finish_import
-- The whole file is stored.
UPDATE import_file SET finished_at = coalesce(finished_at, %(at)s), updated_at = %(at)s, share = 1
WHERE id = %(id)s
RETURNING *;

-- name: all_imports
-- The newest imports first.
SELECT * FROM import_file ORDER BY id DESC LIMIT %(limit)s;

-- name: occupied_tags
-- Tags that have samples already in their span. The bounds let the planner leave out chunks.
SELECT span.tag_id
FROM unnest(%(tags)s::int[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[])
    AS span (tag_id, first, last)
WHERE EXISTS (
    SELECT FROM sample
    WHERE sample.tag_id = span.tag_id AND sample.time BETWEEN span.first AND span.last
      AND sample.time BETWEEN %(from)s AND %(to)s);

-- name: copy_standing
-- What stands for some tags in a span.
COPY (
    SELECT tag_id, time, value, received_at FROM sample
    WHERE tag_id = ANY(%(tags)s) AND time BETWEEN %(from)s AND %(to)s
    LIMIT %(most)s)
TO STDOUT (FORMAT BINARY);
