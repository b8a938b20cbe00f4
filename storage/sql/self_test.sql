-- The self-test: its canary in the registry, what came of a breach, and cleaning up after it.

-- name: self_test_node
-- The canary's node below another (NULL: its root), back again if it was removed.
INSERT INTO node (parent, kind, code, name) VALUES (%(parent)s, %(kind)s, %(code)s, %(name)s)
ON CONFLICT (parent, code) DO UPDATE SET kind = excluded.kind, name = excluded.name, removed_at = NULL
RETURNING id

-- name: self_test_gateway
INSERT INTO gateway (enterprise, code) VALUES (%(enterprise)s, %(code)s)
ON CONFLICT (enterprise, code) DO UPDATE SET removed_at = NULL

-- name: self_test_tag
-- The canary's tag, once; what describes it is brought up to date.
INSERT INTO tag (version, enterprise, source, name, kind, unit, spec, since)
SELECT coalesce(max(version), 0) + 1, %(enterprise)s, %(enterprise)s, %(name)s, %(kind)s, %(unit)s, %(spec)s, %(at)s
FROM tag WHERE enterprise = %(enterprise)s AND name = %(name)s
ON CONFLICT (enterprise, name) WHERE removed_at IS NULL DO UPDATE SET spec = excluded.spec

-- name: self_test_gone
-- The canary leaves the registry; what it left behind stays until it is swept.
WITH ours AS (
    UPDATE node SET removed_at = coalesce(removed_at, %(at)s) WHERE kind = %(kind)s RETURNING id
), gateways AS (
    UPDATE gateway SET removed_at = %(at)s WHERE enterprise IN (SELECT id FROM ours) AND removed_at IS NULL
)
UPDATE tag SET removed_at = %(at)s WHERE enterprise IN (SELECT id FROM ours) AND removed_at IS NULL

-- name: self_test_stored
-- Whether an event of the canary is durable.
SELECT EXISTS (SELECT FROM outbox WHERE id = %(id)s)

-- name: self_test_passed
-- When the canary's newest breach was stored that was seen and over; no row: none ever was.
SELECT a.effective
FROM alarm a JOIN node n ON n.id = a.enterprise
WHERE n.kind = %(kind)s AND a.tag_id IS NOT NULL AND a.closed IS NOT NULL
ORDER BY a.effective DESC
LIMIT 1

-- name: self_test_registered
-- Whether there is a canary.
SELECT EXISTS (SELECT FROM node WHERE kind = %(kind)s AND removed_at IS NULL)

-- name: self_test_swept
-- Forget the canary's closed occurrences from before an instant, with their journal and notices; at most so many at once.
WITH old AS (
    SELECT a.id FROM alarm a JOIN node n ON n.id = a.enterprise
    WHERE n.kind = %(kind)s AND a.closed < %(before)s
    LIMIT %(most)s
), journal AS (
    DELETE FROM alarm_event WHERE occurrence IN (SELECT id FROM old)
), notices AS (
    DELETE FROM notice WHERE occurrence IN (SELECT id FROM old)
)
DELETE FROM alarm WHERE id IN (SELECT id FROM old)
