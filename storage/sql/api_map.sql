-- What a map shows beside the tree: boundaries, grades, positions of tags.

-- name: map_nodes
-- Boundary of enterprises, grade of sources, and when the risk of a source was last told, by node. Only those that have any.
SELECT n.id, n.detail -> 'boundary' AS boundary, CASE n.kind WHEN 'source' THEN (n.detail ->> 'grade')::int END AS grade,
       r.at AS updated_at
FROM node n LEFT JOIN source_risk r ON r.source = n.id
WHERE n.removed_at IS NULL AND n.kind IN ('enterprise', 'source') AND n.enterprise = ANY(%(enterprises)s)

-- name: map_tags
-- Present tags that have a position of their own.
SELECT t.id, t.name, t.source, t.enterprise, t.spec -> 'position' AS position, l.time AS updated_at
FROM tag t LEFT JOIN tag_latest l ON l.tag_id = t.id
WHERE t.removed_at IS NULL AND t.spec ? 'position' AND t.enterprise = ANY(%(enterprises)s)
ORDER BY t.id
