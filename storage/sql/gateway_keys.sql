-- Keys of gateways for HTTP ingest.

-- name: add_gateway_key
INSERT INTO gateway_key (id, gateway, enterprise, digest, created_at, created_by, expires_at)
VALUES (%(id)s, %(gateway)s, %(enterprise)s, %(digest)s, %(at)s, %(by)s, %(expires)s)

-- name: gateway_keys
-- All keys of some gateways (NULL: of all), the oldest first.
SELECT id, gateway, created_at, created_by, expires_at, used_at, revoked_at, revoked_by
FROM gateway_key
WHERE %(gateways)s::int[] IS NULL OR gateway = ANY(%(gateways)s)
ORDER BY gateway, created_at, id

-- name: revoke_gateway_keys
-- Those of these that were not revoked already.
UPDATE gateway_key SET revoked_at = %(at)s, revoked_by = %(by)s
WHERE id = ANY(%(ids)s) AND revoked_at IS NULL
RETURNING id

-- name: gateway_key_changes
-- Another pair of numbers after every key that came or was revoked: rows stay, both only rise.
SELECT count(*), count(revoked_at) FROM gateway_key

-- name: present_gateway_keys
SELECT id, gateway, digest, expires_at, used_at FROM gateway_key WHERE revoked_at IS NULL

-- name: use_gateway_key
UPDATE gateway_key SET used_at = %(at)s WHERE id = %(id)s AND (used_at IS NULL OR used_at < %(at)s)
