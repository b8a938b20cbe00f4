-- The registry: the typed tree, gateways and tags, as site files say, versioned.

-- name: bound_site_lock
SET LOCAL lock_timeout = '30s'

-- name: lock_site
-- One load at a time.
SELECT pg_advisory_xact_lock(1212438092, 4)

-- name: read_registry_together
-- All queries of the reading see one moment.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: last_site_version
SELECT coalesce(max(version), 0) AS version FROM site_version

-- name: add_site_version
INSERT INTO site_version (version, loaded_at, loaded_by, digest, content)
VALUES (%(version)s, %(at)s, %(by)s, %(digest)s, %(content)s)

-- name: tell_site_version
SELECT pg_notify('hazwatch_site', %(version)s::text)

-- name: all_nodes
SELECT id, parent, kind, code, name, enterprise, lon, lat, detail, removed_at IS NOT NULL AS removed
FROM node ORDER BY id

-- name: add_node
INSERT INTO node (parent, kind, code, name, enterprise, lon, lat, detail)
VALUES (%(parent)s, %(kind)s, %(code)s, %(name)s, %(enterprise)s, %(lon)s, %(lat)s, %(detail)s)
RETURNING id

-- name: make_own_enterprise
-- An enterprise node lies under itself.
UPDATE node SET enterprise = id WHERE id = %(id)s

-- name: change_node
-- A node that was removed and is back keeps its id.
UPDATE node
SET kind = %(kind)s, name = %(name)s, enterprise = %(enterprise)s, lon = %(lon)s, lat = %(lat)s,
    detail = %(detail)s, removed_at = NULL
WHERE id = %(id)s

-- name: remove_nodes
UPDATE node SET removed_at = %(at)s WHERE id = ANY(%(ids)s)

-- name: all_gateways
SELECT id, enterprise, code, removed_at IS NOT NULL AS removed FROM gateway ORDER BY id

-- name: enterprises_ever
SELECT DISTINCT park.code AS park, enterprise.code AS code
FROM gateway
JOIN node AS enterprise ON enterprise.id = gateway.enterprise
JOIN node AS park ON park.id = enterprise.parent

-- name: add_gateway
INSERT INTO gateway (enterprise, code) VALUES (%(enterprise)s, %(code)s)
ON CONFLICT (enterprise, code) DO UPDATE SET removed_at = NULL

-- name: remove_gateways
UPDATE gateway SET removed_at = %(at)s WHERE id = ANY(%(ids)s)

-- name: present_tags
SELECT id, version, enterprise, source, name, kind, unit, spec::text AS spec, since
FROM tag WHERE removed_at IS NULL ORDER BY id

-- name: last_tag_versions
-- Of names that were ever registered, removed ones included.
SELECT enterprise, name, max(version) AS version FROM tag GROUP BY enterprise, name

-- name: add_tag
INSERT INTO tag (version, enterprise, source, name, kind, unit, spec, since)
VALUES (%(version)s, %(enterprise)s, %(source)s, %(name)s, %(kind)s, %(unit)s, %(spec)s, %(at)s)

-- name: change_tag
UPDATE tag SET source = %(source)s, spec = %(spec)s WHERE id = %(id)s

-- name: remove_tags
UPDATE tag SET removed_at = %(at)s WHERE id = ANY(%(ids)s)
