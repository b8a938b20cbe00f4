-- Inventory of hazard sources, as it was last told.

-- name: upsert_inventory
-- What is told of a source. The last word counts, not the latest time: a clock may be set back.
INSERT INTO source_inventory (source, enterprise, at, load, body)
VALUES (%(source)s, %(enterprise)s, %(at)s, %(load)s, %(body)s)
ON CONFLICT (source) DO UPDATE
SET enterprise = excluded.enterprise, at = excluded.at, load = excluded.load, body = excluded.body;

-- name: find_inventory
-- One present source with what was last told of it, and the names of its tanks and tags by id.
SELECT n.id AS source, n.name AS source_name, n.enterprise, (n.detail ->> 'grade')::int AS grade, i.at, i.load, i.body,
       (SELECT coalesce(jsonb_object_agg(v.id, jsonb_build_array(v.code, v.name)), '{}')
        FROM node v WHERE v.parent = n.id) AS vessels,
       (SELECT coalesce(jsonb_object_agg(t.id, jsonb_build_array(t.name, t.unit)), '{}')
        FROM tag t WHERE t.source = n.id) AS tags
FROM node n
LEFT JOIN source_inventory i ON i.source = n.id
WHERE n.id = %(source)s AND n.kind = 'source' AND n.removed_at IS NULL AND n.enterprise = ANY(%(enterprises)s)
