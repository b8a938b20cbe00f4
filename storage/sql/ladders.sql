-- Which ladder a source has: ladders are named for nodes above it.

-- name: codes_down_to
-- Codes from the root down to each of these nodes, present or removed.
WITH RECURSIVE up AS (
    SELECT id AS node, parent, ARRAY[code] AS codes FROM node WHERE id = ANY(%(nodes)s)
    UNION ALL
    SELECT u.node, n.parent, n.code || u.codes FROM up u JOIN node n ON n.id = u.parent
)
SELECT node, codes FROM up WHERE parent IS NULL
