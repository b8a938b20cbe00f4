-- What may still be retained at the broker.

-- name: places_gone
-- Codes of sources, enterprises and parks that are not in the site any more; park and enterprise of a source, park of an enterprise.
SELECT p.code AS park, e.code AS enterprise, s.code AS source
FROM node s JOIN node e ON e.id = s.enterprise JOIN node p ON p.id = e.parent
WHERE s.kind = 'source' AND s.removed_at IS NOT NULL
UNION ALL
SELECT p.code, e.code, NULL
FROM node e JOIN node p ON p.id = e.parent
WHERE e.kind = 'enterprise' AND e.removed_at IS NOT NULL
UNION ALL
SELECT p.code, NULL, NULL FROM node p WHERE p.kind = 'park' AND p.removed_at IS NOT NULL
