-- The plant as the api shows it. Every list is bounded by the enterprises that the reader may see.

-- name: tree_nodes
-- Visible nodes with the open alarms and the risk of each by itself (the roll-up is the reader's); colour: NULL until the
-- worker has told it. A source is unknown where the risk model says so, while all of it is offline (the model waits some
-- minutes), and before any of its tags has ever spoken: silence is never shown as sight.
SELECT n.id, n.parent, n.kind, n.code, n.name, n.enterprise, n.lon, n.lat,
       coalesce(a.active, 0) AS active, coalesce(a.unacknowledged, 0) AS unacknowledged,
       r.colour, r.score,
       -- orange or worse from alarms that are not reset, for the domino rule
       coalesce(r.colour >= 2 AND jsonb_path_exists(r.reasons, '$[*] ? (@.part == "A")'), false) AS alarmed,
       coalesce(r.unknown, false) OR coalesce(a.offline, false) OR coalesce(s.silent, false) AS unknown
FROM node n
LEFT JOIN source_risk r ON r.source = n.id
LEFT JOIN (
    SELECT node, count(*) AS active,
           count(*) FILTER (WHERE state IN ('UNACK', 'RTNUN', 'LATUN')) AS unacknowledged,
           bool_or(kind = 'SOURCE_OFFLINE' AND state IN ('UNACK', 'ACKED')) AS offline
    FROM alarm
    WHERE state <> 'NORM' AND lane = 0 AND enterprise = ANY(%(enterprises)s)
    GROUP BY node
) a ON a.node = n.id
LEFT JOIN (
    SELECT t.source, bool_and(l.tag_id IS NULL) AS silent
    FROM tag t LEFT JOIN tag_latest l ON l.tag_id = t.id
    WHERE t.removed_at IS NULL AND t.enterprise = ANY(%(enterprises)s)
    GROUP BY t.source
) s ON s.source = n.id
WHERE n.removed_at IS NULL AND (n.enterprise = ANY(%(enterprises)s) OR n.id = ANY(%(places)s))
ORDER BY n.id

-- name: list_tags
-- Present tags below a node (NULL: all), by name.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
)
SELECT t.id, t.name, t.enterprise, t.source, t.kind, t.unit, t.spec,
       l.time, l.received_at, nullif(l.value, 'NaN') AS value, l.quality
FROM tag t LEFT JOIN tag_latest l ON l.tag_id = t.id
WHERE t.removed_at IS NULL
  AND t.enterprise = ANY(%(enterprises)s)
  AND (%(node)s::int IS NULL OR t.source IN (SELECT id FROM below))
  AND (%(after_name)s::text IS NULL
       OR (t.name COLLATE "C", t.id) > (%(after_name)s::text COLLATE "C", %(after_id)s::int))
ORDER BY t.name COLLATE "C", t.id
LIMIT %(limit)s

-- name: find_tag
-- One tag, present or retired, if the reader may see it.
SELECT t.id, t.name, t.enterprise, t.source, t.kind, t.unit, t.spec, t.removed_at,
       s.detail -> 'grade' AS grade, v.detail AS vessel
FROM tag t
JOIN node s ON s.id = t.source
LEFT JOIN node v ON v.parent = t.source AND v.kind = 'equipment' AND v.code = t.spec ->> 'equipment'
                    AND v.removed_at IS NULL
WHERE t.id = %(tag)s AND t.enterprise = ANY(%(enterprises)s)

-- name: source_designs
-- Present sources with what is registered about them, their vessels and the people around the enterprise.
SELECT n.id, n.code, n.name, n.enterprise, n.detail,
       (e.detail -> 'population_500m')::int AS population,
       coalesce(v.vessels, '[]') AS vessels
FROM node n
JOIN node e ON e.id = n.enterprise
LEFT JOIN LATERAL (
    SELECT jsonb_agg(b.detail || jsonb_build_object('code', b.code, 'name', b.name) ORDER BY b.id) AS vessels
    FROM node b WHERE b.parent = n.id AND b.kind = 'equipment' AND b.removed_at IS NULL
) v ON true
WHERE n.id = ANY(%(sources)s) AND n.kind = 'source' AND n.removed_at IS NULL
  AND n.enterprise = ANY(%(enterprises)s)

-- name: list_latest
-- The newest sample of each tag by event time; NULL tags: of all.
SELECT t.id AS tag, l.time, l.received_at, nullif(l.value, 'NaN') AS value, l.quality
FROM tag t JOIN tag_latest l ON l.tag_id = t.id
WHERE t.enterprise = ANY(%(enterprises)s)
  AND CASE WHEN %(tags)s::int[] IS NULL THEN t.removed_at IS NULL ELSE t.id = ANY(%(tags)s) END
  AND t.id > %(after)s
ORDER BY t.id
LIMIT %(limit)s

-- name: flagged_samples
-- Samples of these tags, each at its time, that have flags, with what is registered of the tag. The bounds let the planner
-- leave out chunks; LIMIT keeps it to one look into the index for each.
SELECT t.id AS tag, t.unit, t.kind, t.spec, t.source, s.flags
FROM unnest(%(tags)s::int[], %(times)s::timestamptz[]) AS wanted (tag, time)
JOIN tag t ON t.id = wanted.tag AND t.enterprise = ANY(%(enterprises)s)
CROSS JOIN LATERAL (
    SELECT flags FROM sample
    WHERE sample.tag_id = wanted.tag AND sample.time = wanted.time
      AND sample.time BETWEEN %(from)s AND %(to)s
    LIMIT 1) s
WHERE s.flags <> 0

-- name: list_gateways
-- Gateways with their last sign of life, what was last added to their times, and what became of their messages.
SELECT g.id, g.enterprise, g.code, s.online, s.boot, s.said_at,
       greatest(s.received_at, l.updated_at) AS last_seen,
       CASE WHEN (l.last_offset ->> 1)::int8 >= l.last_seq THEN -(l.last_offset ->> 2)::float8 / 1e6 ELSE 0 END
           AS clock_error_s,
       to_jsonb(c) - 'gateway' AS counts
FROM gateway g
LEFT JOIN gateway_state s ON s.gateway = g.id
LEFT JOIN ingest_count c ON c.gateway = g.id
LEFT JOIN LATERAL (
    SELECT updated_at, offsets -> -1 AS last_offset, upper(range_merge(seen)) - 1 AS last_seq
    FROM gateway_ledger WHERE gateway = g.id ORDER BY updated_at DESC LIMIT 1
) l ON true
WHERE g.removed_at IS NULL AND g.enterprise = ANY(%(enterprises)s) AND g.id > %(after)s
ORDER BY g.id
LIMIT %(limit)s

-- name: list_quarantine
-- What was not understood, newest first; what belongs to no enterprise is for operators.
SELECT q.id, q.received_at, q.topic, q.gateway, q.enterprise, q.reason, q.detail, q.tag, q.time, q.size,
       substring(q.payload FOR %(preview)s) AS payload
FROM quarantine q
WHERE (q.enterprise = ANY(%(enterprises)s) OR (q.enterprise IS NULL AND %(operator)s))
  AND (%(reason)s::text IS NULL OR q.reason = %(reason)s)
  AND (%(gateway)s::int IS NULL OR q.gateway = %(gateway)s)
  AND (%(before)s::timestamptz IS NULL OR (q.received_at, q.id) < (%(before)s::timestamptz, %(before_id)s::uuid))
ORDER BY q.received_at DESC, q.id DESC
LIMIT %(limit)s
