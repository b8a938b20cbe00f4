-- Desks as they are read.

-- name: list_desks
-- Every visible enterprise, with what was last told of its desk.
SELECT e.id AS enterprise, e.name, d.flood, coalesce(d.suppressed, 0) AS suppressed,
       coalesce(d.chattering, 0) AS chattering
FROM node e LEFT JOIN desk d ON d.enterprise = e.id
WHERE e.kind = 'enterprise' AND e.removed_at IS NULL AND e.id = ANY(%(enterprises)s)
ORDER BY e.name, e.id

-- name: list_floods
-- Floods of visible desks that lasted into a period, the newest first.
SELECT f.enterprise, e.name, f.since, f.until, f.heard
FROM desk_flood f JOIN node e ON e.id = f.enterprise
WHERE f.enterprise = ANY(%(enterprises)s) AND (f.until IS NULL OR f.until >= %(from)s) AND f.since < %(to)s
ORDER BY f.since DESC, f.enterprise
LIMIT %(limit)s
