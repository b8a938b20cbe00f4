-- Management inputs as the worker meets them.

-- name: input_version
SELECT version FROM management_input_version;

-- name: standing_inputs
-- What can still matter: what has not ended long ago, hidden hazards until they are revoked, and of what recurs
-- (commitments, duties) the newest of each node and role.
WITH recurring AS (
    SELECT DISTINCT ON (kind, node, value ->> 'role') id
    FROM management_input
    WHERE kind IN ('commitment', 'duty') AND revoked_at IS NULL
    ORDER BY kind, node, value ->> 'role', until DESC
)
SELECT i.id, i.kind, i.enterprise, i.node, i.tag, i.since, i.until, i.value, i.who, i.recorded_at, i.second,
       i.revoked_at, i.revoked_by, i.reason
FROM management_input i
WHERE (i.revoked_at IS NULL OR i.revoked_at > %(after)s)
  AND (i.until IS NULL OR i.until > %(after)s OR i.kind = 'hidden_hazard'
       OR i.id IN (SELECT id FROM recurring))
ORDER BY i.recorded_at, i.id;
