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

-- name: note_attempts
-- What became of looks at notices, of each at most one; the notices that are there. One that arrived
-- stays so, and one that was given up is not withdrawn.
WITH made AS MATERIALIZED (
    SELECT a.*
    FROM json_to_recordset(%(rows)s) AS a(
        notice uuid, at timestamptz, outcome text, channel text, recipient text, rank int, error text,
        due timestamptz)
    JOIN notice n ON n.id = a.notice),
kept AS (
    INSERT INTO notice_attempt (notice, at, outcome, channel, recipient, rank, error)
    SELECT notice, at, outcome, channel, recipient, rank, error FROM made
    ON CONFLICT DO NOTHING),
stands AS (
    UPDATE notice n SET
        rank = made.rank,
        due = coalesce(made.due, n.due),
        attempts = n.attempts + (outcome IN ('delivered', 'failed', 'given up'))::int,
        error = CASE
            WHEN outcome = 'delivered' THEN NULL
            WHEN outcome IN ('failed', 'given up') THEN made.error
            ELSE n.error END,
        delivered = CASE WHEN outcome = 'delivered' THEN made.at END,
        failed = CASE WHEN outcome = 'given up' THEN made.at ELSE n.failed END,
        withdrawn = CASE
            WHEN outcome IN ('withdrawn', 'handed over') AND n.failed IS NULL
            THEN coalesce(n.withdrawn, made.at)
            ELSE n.withdrawn END
    FROM made
    WHERE n.id = made.notice AND n.delivered IS NULL)
SELECT notice FROM made;
