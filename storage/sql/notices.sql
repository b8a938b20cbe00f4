-- Messages that have to reach somebody.

-- name: insert_notices
-- Notices, each once, due when they were created.
INSERT INTO notice (id, occurrence, channel, recipient, body, created, step, person, ways, due)
SELECT id, occurrence, channel, recipient, body, created, step, person, ways, created
FROM json_populate_recordset(NULL::notice, %(rows)s)
ON CONFLICT (id) DO NOTHING;

-- name: revive_notices
-- Notices that take the place of another; those that were themselves handed over before are open again.
INSERT INTO notice (id, occurrence, channel, recipient, body, created, step, person, ways, due)
SELECT id, occurrence, channel, recipient, body, created, step, person, ways, created
FROM json_populate_recordset(NULL::notice, %(rows)s)
ON CONFLICT (id) DO UPDATE SET withdrawn = NULL
WHERE notice.delivered IS NULL AND notice.failed IS NULL;

-- name: notices_due
-- Open notices whose time has come: of rungs first, then the longest due.
SELECT id, occurrence, channel, recipient, body, created, step, person, ways, attempts
FROM notice
WHERE delivered IS NULL AND failed IS NULL AND withdrawn IS NULL AND due <= %(at)s
ORDER BY step IS NULL, due, id
LIMIT %(limit)s;

-- name: notices_arrived
-- Those that arrived and may be made again, the newest: of open cases those of rungs, by a hand-over; of rises, falls and 核实; of hot work near
-- gas; of open alarms that their console leaves.
SELECT id FROM (
SELECT n.id, n.delivered
FROM warning_case c
CROSS JOIN LATERAL (
    SELECT id, delivered FROM notice WHERE occurrence = c.id AND step IS NOT NULL
    UNION ALL
    SELECT id, delivered FROM notice
    WHERE occurrence = c.id AND step IS NULL AND body ->> 'reason' IN ('risen', 'fallen', 'closed')
    UNION ALL
    SELECT id, delivered FROM notice
    WHERE occurrence = c.id AND step IS NULL AND body ->> 'reason' = 'verified'
    UNION ALL
    SELECT id, delivered FROM notice
    WHERE occurrence = c.id AND step IS NULL AND body ->> 'role' = 'permit'
) n
WHERE c.closed IS NULL AND n.delivered IS NOT NULL
UNION ALL
SELECT n.id, n.delivered
FROM alarm a
JOIN notice n ON n.occurrence = a.id AND n.step IS NULL AND n.body ->> 'reason' = 'unacknowledged'
WHERE a.state <> 'NORM' AND n.delivered IS NOT NULL
) told
ORDER BY delivered DESC
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

-- name: notice_held
-- It is held back until then, no attempt was made; whether there is such a notice.
WITH done AS (
    UPDATE notice SET due = %(due)s WHERE id = %(id)s AND delivered IS NULL)
SELECT EXISTS (SELECT FROM notice WHERE id = %(id)s);

-- name: insert_attempt
-- What became of one look at a notice, once.
WITH made AS (
    INSERT INTO notice_attempt (notice, at, outcome, channel, recipient, rank, error)
    VALUES (%(id)s, %(at)s, %(outcome)s, %(channel)s, %(recipient)s, %(rank)s, %(error)s)
    ON CONFLICT DO NOTHING
    RETURNING notice)
UPDATE notice SET rank = %(rank)s WHERE id IN (SELECT notice FROM made) AND rank <> %(rank)s;

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
