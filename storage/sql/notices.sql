-- Messages that have to reach somebody.

-- name: insert_notice
-- A notice, once, due when it was created.
INSERT INTO notice (id, occurrence, channel, recipient, body, created, step, due)
VALUES (
    %(id)s, %(occurrence)s, %(channel)s, %(recipient)s, %(body)s, %(created)s, %(step)s, %(created)s)
ON CONFLICT (id) DO NOTHING;

-- name: notices_due
-- Open notices whose time has come, the longest due first.
SELECT id, occurrence, channel, recipient, body, created, step, attempts
FROM notice
WHERE delivered IS NULL AND failed IS NULL AND withdrawn IS NULL AND due <= %(at)s
ORDER BY due, id
LIMIT %(limit)s;

-- name: next_notice_due
-- When the next open notice is due.
SELECT min(due) FROM notice WHERE delivered IS NULL AND failed IS NULL AND withdrawn IS NULL;

-- name: notice_delivered
-- It arrived; whether there is such a notice.
WITH done AS (
    UPDATE notice SET delivered = %(at)s, attempts = attempts + 1, error = NULL
    WHERE id = %(id)s AND delivered IS NULL)
SELECT EXISTS (SELECT FROM notice WHERE id = %(id)s);

-- name: notice_put_off
-- An attempt failed, the next one has a time; whether there is such a notice.
WITH done AS (
    UPDATE notice SET attempts = attempts + 1, error = %(error)s, due = %(due)s
    WHERE id = %(id)s AND delivered IS NULL)
SELECT EXISTS (SELECT FROM notice WHERE id = %(id)s);

-- name: notice_failed
-- It is given up; whether there is such a notice.
WITH done AS (
    UPDATE notice SET attempts = attempts + 1, error = %(error)s, failed = %(at)s
    WHERE id = %(id)s AND delivered IS NULL)
SELECT EXISTS (SELECT FROM notice WHERE id = %(id)s);

-- name: notice_withdrawn
-- Nobody needs it any more; whether there is such a notice. One that arrived or was given up stays so.
WITH done AS (
    UPDATE notice SET withdrawn = %(at)s
    WHERE id = %(id)s AND delivered IS NULL AND failed IS NULL AND withdrawn IS NULL)
SELECT EXISTS (SELECT FROM notice WHERE id = %(id)s);
