-- CAP messages: of warning cases, their journals, and where and what they are about. A message is a transition that changes the
-- colour, or closes the case.

-- name: cap_newest
-- The newest messages of all cases that may be seen.
SELECT v.case_id, v.n, v.at
FROM case_event v JOIN warning_case c ON c.id = v.case_id
WHERE c.enterprise = ANY(%(enterprises)s)
  AND (v.event IN ('rise', 'fall', 'calm') OR v.to_state = 'closed')
  AND (%(before)s::timestamptz IS NULL
       OR (v.at, v.case_id, v.n) < (%(before)s::timestamptz, %(before_case)s::uuid, %(before_n)s::int))
ORDER BY v.at DESC, v.case_id DESC, v.n DESC
LIMIT %(limit)s

-- name: cap_cases
-- These cases with where their sources are registered now; as_of: the site's version when each was opened.
SELECT c.id, c.opened, c.source, e.code AS enterprise_code, e.name AS enterprise_name, e.lon AS enterprise_lon,
       e.lat AS enterprise_lat, e.detail -> 'boundary' AS boundary, e.parent AS park, p.code AS park_code,
       s.code, s.name, s.lon, s.lat, (s.detail ->> 'grade')::int AS grade, s.detail -> 'substances' AS substances,
       coalesce((SELECT max(version) FROM site_version WHERE loaded_at <= c.opened), 0) AS as_of
FROM warning_case c
JOIN node s ON s.id = c.source
JOIN node e ON e.id = c.enterprise
LEFT JOIN node p ON p.id = e.parent
WHERE c.id = ANY(%(cases)s) AND c.enterprise = ANY(%(enterprises)s)

-- name: cap_areas
-- Code and name of a node and of all above it, from the top.
WITH RECURSIVE path AS (
    SELECT id, parent, code, name, 0 AS height FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id, n.parent, n.code, n.name, height + 1 FROM path p JOIN node n ON n.id = p.parent
)
SELECT code, name FROM path ORDER BY height DESC

-- name: cap_sources_in_version
-- These sources and their enterprises as the site file of one version has them, of tags only gas and equipment. The file is
-- unpacked once, however many there are.
WITH file AS MATERIALIZED (
    SELECT content -> 'tree' AS tree, content -> 'enterprises' AS enterprises
    FROM site_version WHERE version = %(version)s
)
SELECT w.id, e.entry - 'sources' AS enterprise, s.entry - 'tags' AS source, f.tree,
       (SELECT jsonb_object_agg(t.entry ->> 'name', jsonb_build_object('gas', t.entry -> 'gas', 'equipment', t.entry -> 'equipment'))
        FROM jsonb_array_elements(s.entry -> 'tags') AS t (entry)) AS tags
FROM file f
CROSS JOIN LATERAL jsonb_array_elements(f.enterprises) AS e (entry)
JOIN unnest(%(ids)s::int[], %(parks)s::text[], %(enterprises)s::text[], %(sources)s::text[]) AS w (id, park, enterprise, source)
    ON w.park = e.entry ->> 'park' AND w.enterprise = e.entry ->> 'code'
CROSS JOIN LATERAL jsonb_array_elements(e.entry -> 'sources') AS s (entry)
WHERE s.entry ->> 'code' = w.source

-- name: cap_steps
-- The messages of these cases, in order. The body is the case after the transition, as its release wrote it.
SELECT case_id, n, at, before, (body ->> 'colour')::int AS colour, to_state = 'closed' AS closed,
       (body ->> 'unknown')::bool AS unknown, body -> 'alarms' AS alarms, (body ->> 'score')::float8 AS score,
       coalesce(body ->> 'model', '') AS model, body #>> '{loop,closing,kind}' AS kind,
       coalesce(jsonb_typeof(body #> '{loop,drill}') = 'object', false) AS drill
FROM case_event
WHERE case_id = ANY(%(cases)s) AND (event IN ('rise', 'fall', 'calm') OR to_state = 'closed')
ORDER BY case_id, n

-- name: cap_signs
-- What never changes of these occurrences.
SELECT a.id, a.kind, a.onset, coalesce(t.name, n.name) AS subject, t.kind AS tag_kind, t.spec ->> 'gas' AS gas,
       t.spec ->> 'equipment' AS equipment
FROM alarm a
LEFT JOIN tag t ON t.id = a.tag_id
LEFT JOIN node n ON n.id = a.node
WHERE a.id = ANY(%(alarms)s)

-- name: cap_enterprises
-- Everybody who ever had a warning.
SELECT DISTINCT enterprise FROM warning_case

-- name: cap_issuers
-- Sender and zone of messages, since when, in order.
SELECT since, sender, zone FROM cap_issuer ORDER BY since

-- name: keep_cap_issuer
-- From `at` on messages have this sender and zone; nothing where the newest ones already have.
INSERT INTO cap_issuer (since, sender, zone)
SELECT %(at)s, %(sender)s, %(zone)s
WHERE NOT EXISTS (
    SELECT FROM (SELECT sender, zone FROM cap_issuer ORDER BY since DESC LIMIT 1) AS newest
    WHERE newest.sender = %(sender)s AND newest.zone = %(zone)s
)
ON CONFLICT (since) DO NOTHING
