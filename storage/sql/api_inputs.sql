-- Management inputs as people state, read and revoke them.

-- name: record_input
-- Keep a fact and wake the worker; no row if this person used the key before.
WITH recorded AS (
    INSERT INTO management_input (id, key, kind, enterprise, node, tag, since, until, value, who, second, recorded_at)
    VALUES (%(id)s, %(key)s, %(kind)s, %(enterprise)s, %(node)s, %(tag)s, %(since)s, %(until)s, %(value)s, %(who)s,
            %(second)s, %(at)s)
    ON CONFLICT (who, key) DO NOTHING
    RETURNING id
), counted AS (
    UPDATE management_input_version SET version = version + 1 WHERE EXISTS (SELECT FROM recorded)
)
SELECT id, pg_notify('hazwatch_input', id::text) FROM recorded

-- name: revoke_input
-- End a fact, once; no row if it has been revoked before.
WITH revoked AS (
    UPDATE management_input SET revoked_at = %(at)s, revoked_by = %(by)s, reason = %(reason)s
    WHERE id = %(id)s AND revoked_at IS NULL
    RETURNING id
), counted AS (
    UPDATE management_input_version SET version = version + 1 WHERE EXISTS (SELECT FROM revoked)
)
SELECT id, pg_notify('hazwatch_input', id::text) FROM revoked

-- name: input_by_key
SELECT id FROM management_input WHERE who = %(who)s AND key = %(key)s

-- name: list_inputs
-- Facts, the newest first. Filters that are NULL do not filter; open: in force at an instant, or still to come.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
)
SELECT i.id, i.kind, i.enterprise, i.node, i.tag, i.since, i.until, i.value, i.who, i.second, i.recorded_at,
       i.revoked_at, i.revoked_by, i.reason, n.name AS node_name, t.name AS tag_name
FROM management_input i
JOIN node n ON n.id = i.node
LEFT JOIN tag t ON t.id = i.tag
WHERE i.enterprise = ANY(%(enterprises)s)
  AND (%(kinds)s::text[] IS NULL OR i.kind = ANY(%(kinds)s))
  AND (%(node)s::int IS NULL OR i.node IN (SELECT id FROM below))
  AND (%(id)s::uuid IS NULL OR i.id = %(id)s)
  AND (%(open_at)s::timestamptz IS NULL
       OR (i.revoked_at IS NULL AND (i.until IS NULL OR i.until > %(open_at)s)))
  AND (%(before)s::timestamptz IS NULL
       OR (i.recorded_at, i.id) < (%(before)s::timestamptz, %(before_id)s::uuid))
ORDER BY i.recorded_at DESC, i.id DESC
LIMIT %(limit)s

-- name: input_place
-- What has to be known of the node that a fact is stated of; path: it and every node above it.
WITH RECURSIVE path AS (
    SELECT n.id, n.parent, n.kind FROM node n WHERE n.id = %(node)s
    UNION ALL
    SELECT n.id, n.parent, n.kind FROM path p JOIN node n ON n.id = p.parent
)
SELECT n.id, n.kind, n.enterprise, ARRAY(SELECT id FROM path) AS path,
       (SELECT id FROM path WHERE kind = 'source' LIMIT 1) AS source
FROM node n
WHERE n.id = %(node)s AND n.removed_at IS NULL AND n.enterprise = ANY(%(enterprises)s)

-- name: input_tag
-- The present tag that a fact is stated of, and the gas and fire detectors of its zone.
SELECT t.id, t.name, t.source, t.enterprise, t.kind, t.spec,
       (SELECT s.detail -> 'grade' FROM node s WHERE s.id = t.source) AS grade,
       (SELECT v.detail FROM node v
        WHERE v.parent = t.source AND v.kind = 'equipment' AND v.code = t.spec ->> 'equipment'
          AND v.removed_at IS NULL) AS vessel,
       (SELECT array_agg(z.id) FROM tag z
        WHERE z.source = t.source AND z.removed_at IS NULL
          AND z.kind IN ('gas_toxic', 'gas_combustible', 'oxygen', 'fire')
          AND z.spec ->> 'zone' IS NOT DISTINCT FROM t.spec ->> 'zone') AS zone
FROM tag t
WHERE t.id = %(tag)s AND t.removed_at IS NULL AND t.enterprise = ANY(%(enterprises)s)

-- name: zone_tags
-- How many present tags a zone of a source has.
SELECT count(*) AS tags FROM tag
WHERE source = %(source)s AND removed_at IS NULL AND spec ->> 'zone' = %(zone)s

-- name: open_permits
-- The tags of these that are under a permit which has not ended at an instant, with the work.
SELECT tag, value ->> 'work' AS work FROM management_input
WHERE kind = 'permit' AND tag = ANY(%(tags)s) AND revoked_at IS NULL AND until > %(at)s
