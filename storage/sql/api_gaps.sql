-- The gap ledger as the api shows it. Every list is bounded by the enterprises that the reader may see.

-- name: list_gaps
-- Gaps, the newest first. A gap of a gateway counts for every tag that it stands for (missing_s); where one tag
-- is asked for, it is shown as that tag has it.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
),
chosen AS (
    SELECT g.*, p.remaining AS part,
           CASE WHEN %(tag)s::int IS NULL THEN g.remaining ELSE coalesce(p.remaining, g.remaining) END AS missing
    FROM gap g LEFT JOIN gap_part p ON p.gap = g.id AND p.tag_id = %(tag)s
    WHERE g.enterprise = ANY(%(enterprises)s)
      AND (%(kinds)s::text[] IS NULL OR g.kind = ANY(%(kinds)s))
      AND (%(gateway)s::int IS NULL OR g.gateway = %(gateway)s)
      AND (%(tag)s::int IS NULL OR g.tag_id = %(tag)s OR g.kind = 'gateway'
           AND g.gateway = (SELECT gateway FROM tag_gateway WHERE tag_id = %(tag)s))
      AND (%(node)s::int IS NULL OR g.enterprise IN (SELECT id FROM below)
           OR g.tag_id IN (SELECT id FROM tag WHERE source IN (SELECT id FROM below))
           OR g.tag_id IS NULL AND g.gateway IN (
               SELECT tag_gateway.gateway FROM tag JOIN tag_gateway ON tag_gateway.tag_id = tag.id
               WHERE tag.source IN (SELECT id FROM below)))
      AND (%(open)s::bool IS NULL OR %(open)s = (g.filled_at IS NULL AND g.lost_at IS NULL))
      AND (%(from)s::timestamptz IS NULL OR coalesce(g.time_to, 'infinity') > %(from)s)
      AND (%(to)s::timestamptz IS NULL OR g.time_from < %(to)s)
      AND (%(before)s::timestamptz IS NULL OR (g.time_from, g.id) < (%(before)s::timestamptz, %(before_id)s::text))
    ORDER BY g.time_from DESC, g.id DESC
    LIMIT %(limit)s)
SELECT c.id, c.kind, c.enterprise, c.gateway, gateway.code AS gateway_code, c.tag_id AS tag, tag.name AS tag_name,
       c.time_from, c.time_to, c.cause, c.seen_at, c.filled_at, c.filled_by, c.lost_at,
       c.boot, c.seq_from, c.seq_to,
       CASE WHEN c.kind = 'tag' OR %(tag)s::int IS NOT NULL THEN 1 WHEN c.kind = 'gateway' THEN c.tags ELSE 0 END AS tags,
       (SELECT coalesce(sum(upper(r) - lower(r)), 0)::int8 FROM unnest(c.seq_left) r) AS messages,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(lower(r), upper(r))), '[]')
        FROM (SELECT r FROM unnest(c.missing) r LIMIT %(pieces)s) r) AS remaining,
       CASE WHEN c.kind = 'messages' THEN 0
            WHEN c.kind = 'tag' OR %(tag)s::int IS NOT NULL THEN own.seconds
            ELSE own.seconds * greatest(0, c.tags - parts.n) + parts.seconds END AS missing_s
FROM chosen c
LEFT JOIN gateway ON gateway.id = c.gateway
LEFT JOIN tag ON tag.id = c.tag_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(extract(epoch FROM coalesce(upper(r), %(at)s) - lower(r))), 0)::float8 AS seconds
    FROM unnest(c.missing) r) own
CROSS JOIN LATERAL (
    SELECT count(DISTINCT gap_part.tag_id) AS n,
           coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8 AS seconds
    FROM gap_part LEFT JOIN LATERAL unnest(gap_part.remaining) r ON true
    WHERE gap_part.gap = c.id) parts
ORDER BY c.time_from DESC, c.id DESC

-- name: gap_totals
-- Of each gateway over a period: seconds that its tags should have been heard, and that are missing. Tags count
-- from their registration, and to the gateway that sends them.
WITH asked AS (SELECT tstzmultirange(tstzrange(%(from)s, %(to)s)) AS period),
sent AS (
    SELECT tag_gateway.gateway, count(*) AS tags,
           sum(greatest(0, extract(epoch FROM %(to)s - greatest(tag.since, %(from)s))))::float8 AS expected_s
    FROM tag_gateway JOIN tag ON tag.id = tag_gateway.tag_id
    WHERE tag.removed_at IS NULL AND tag.enterprise = ANY(%(enterprises)s)
    GROUP BY tag_gateway.gateway),
touching AS (
    SELECT gap.* FROM gap
    WHERE enterprise = ANY(%(enterprises)s) AND time_from < %(to)s AND coalesce(time_to, 'infinity') > %(from)s),
missing AS (
    SELECT g.gateway, g.tag_id, g.filled_at, g.lost_at, g.time_to,
           (SELECT coalesce(sum(upper(r) - lower(r)), 0)::int8 FROM unnest(g.seq_left) r) AS messages,
           CASE WHEN kind = 'messages' THEN 0 ELSE own.seconds END
           * CASE kind WHEN 'gateway' THEN greatest(0, g.tags - parts.n) ELSE 1 END + parts.seconds AS seconds
    FROM touching g
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8 AS seconds
        FROM unnest(g.remaining * (SELECT period FROM asked)) r) own
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT gap_part.tag_id) AS n,
               coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8 AS seconds
        FROM gap_part LEFT JOIN LATERAL unnest(gap_part.remaining * (SELECT period FROM asked)) r ON true
        WHERE gap_part.gap = g.id) parts)
SELECT gateway.id AS gateway, gateway.code, gateway.enterprise, coalesce(sent.tags, 0) AS tags,
       coalesce(sent.expected_s, 0) AS expected_s,
       coalesce(sum(missing.seconds), 0)::float8 AS missing_s,
       count(missing.gateway) FILTER (WHERE missing.filled_at IS NULL AND missing.lost_at IS NULL) AS gaps,
       count(missing.gateway) FILTER (WHERE missing.filled_at IS NOT NULL) AS filled,
       coalesce(sum(missing.messages), 0)::int8 AS messages
FROM gateway
LEFT JOIN sent ON sent.gateway = gateway.id
LEFT JOIN missing ON missing.gateway = gateway.id
WHERE gateway.removed_at IS NULL AND gateway.enterprise = ANY(%(enterprises)s) AND gateway.id > %(after)s
GROUP BY gateway.id, gateway.code, gateway.enterprise, sent.tags, sent.expected_s
ORDER BY gateway.id
LIMIT %(limit)s

-- name: gap_subjects
-- The gateways of a code, or the tags of a name, at or below a node (NULL: anywhere).
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
)
SELECT gateway.id AS gateway, NULL::int AS tag FROM gateway
WHERE code = %(gateway)s AND removed_at IS NULL AND (%(node)s::int IS NULL OR enterprise IN (SELECT id FROM below))
UNION ALL
SELECT NULL, tag.id FROM tag
WHERE name = %(tag)s AND removed_at IS NULL
  AND (%(node)s::int IS NULL OR source IN (SELECT id FROM below) OR enterprise IN (SELECT id FROM below))

-- name: gap_enterprises_below
-- Enterprises at, below or around a node (NULL: all), for who sits at the machine.
WITH RECURSIVE below AS (
    SELECT id, enterprise FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id, n.enterprise FROM below b JOIN node n ON n.parent = b.id
)
SELECT id, code FROM node
WHERE kind = 'enterprise' AND (%(node)s::int IS NULL OR id IN (SELECT enterprise FROM below))
ORDER BY id
