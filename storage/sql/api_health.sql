-- Whether the database can serve the api.

-- name: readiness
-- When the last worker's lease runs out; it fails where the schema is missing.
SELECT max(expires_at) AS lease_until FROM lease
