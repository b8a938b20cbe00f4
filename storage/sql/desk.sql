-- What the desks on the command line read. The self-test's canary is not among it.

-- name: desk_nodes
-- Enterprises and hazard sources, present or removed, each with its codes from the root.
WITH RECURSIVE paths AS (
    SELECT id, parent, kind, code, name, ARRAY[code] AS codes FROM node WHERE parent IS NULL
    UNION ALL
    SELECT n.id, n.parent, n.kind, n.code, n.name, p.codes || n.code FROM paths p JOIN node n ON n.parent = p.id
)
SELECT id, kind, code, name, codes FROM paths WHERE kind <> 'self_test' ORDER BY codes

-- name: desk_alarms
-- Occurrences with what is said of them elsewhere, as the desk sorts them: unacknowledged first, then by priority, then
-- the newest. Filters that are NULL do not filter. flags: those of `whole` that are set.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = ANY(%(nodes)s)
    UNION
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
)
SELECT a.id, a.lane, a.kind, a.tag_id, a.node, a.enterprise, a.priority, a.state, a.onset, a.effective, a.ended,
       a.closed, nullif(a.value, 'NaN') AS value, nullif(a.limit_value, 'NaN') AS limit_value,
       nullif(a.worst, 'NaN') AS worst, a.acknowledged_by, a.acknowledged_at, a.comment, a.reason, a.text, a.n,
       t.name AS tag, t.kind AS tag_kind, t.unit, e.code AS enterprise_code, e.name AS enterprise_name,
       s.code AS source_code, s.name AS source_name, to_jsonb(a) AS whole
FROM alarm a
JOIN node n ON n.id = a.node
JOIN node s ON s.id = CASE WHEN n.kind IN ('equipment', 'group', 'rule') THEN n.parent ELSE n.id END
JOIN node e ON e.id = a.enterprise AND e.kind <> 'self_test'
LEFT JOIN tag t ON t.id = a.tag_id
WHERE (%(lane)s::int2 IS NULL OR a.lane = %(lane)s)
  AND (NOT %(open)s::bool OR a.state <> 'NORM')
  AND (%(states)s::text[] IS NULL OR a.state = ANY(%(states)s))
  AND (%(priorities)s::text[] IS NULL OR a.priority = ANY(%(priorities)s))
  AND (%(kinds)s::text[] IS NULL OR a.kind = ANY(%(kinds)s))
  AND (%(nodes)s::int[] IS NULL OR a.node IN (SELECT id FROM below))
  AND (%(tag)s::text IS NULL OR t.name = %(tag)s)
  AND (%(active)s::bool IS NULL OR (a.state IN ('UNACK', 'ACKED')) = %(active)s)
  AND (NOT %(unacked)s::bool OR a.state IN ('UNACK', 'RTNUN', 'LATUN'))
  AND (%(flags)s::text[] IS NULL
       OR EXISTS (SELECT FROM unnest(%(flags)s) AS flag WHERE to_jsonb(a)->>flag IS NOT NULL))
  AND (%(begin)s::timestamptz IS NULL OR a.onset >= %(begin)s)
  AND (%(end)s::timestamptz IS NULL OR a.onset < %(end)s)
  AND (%(id)s::text IS NULL OR starts_with(a.id::text, %(id)s))
ORDER BY a.state NOT IN ('UNACK', 'RTNUN', 'LATUN'), a.priority, a.onset DESC, a.id
LIMIT %(limit)s

-- name: desk_alarm_journal
SELECT n, at, event, from_state, to_state, by, comment FROM alarm_event WHERE occurrence = %(id)s ORDER BY n

-- name: desk_notices
-- What went out for an occurrence or a case, in order.
SELECT channel, recipient, created, due, delivered, failed, withdrawn, attempts, error, step, body ->> 'role' AS role
FROM notice WHERE occurrence = %(id)s ORDER BY created, id LIMIT %(limit)s

-- name: desk_cases_of
-- Cases that refer to an occurrence.
SELECT c.id, c.number, c.colour, c.state, c.opened, c.closed, s.name AS source_name
FROM warning_case c JOIN node s ON s.id = c.source
WHERE %(id)s::uuid = ANY(c.alarms) ORDER BY c.opened DESC

-- name: desk_cases
-- Cases as the desk sorts them: the open first, drills behind what is real, then by colour, then the newest. Filters that are NULL do not filter.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = ANY(%(nodes)s)
    UNION
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
)
SELECT c.id, c.number, c.source, c.enterprise, c.state, c.colour, c.worst, c.unknown, c.opened, c.closed, c.released,
       c.released_by, c.receipts, c.alarms, c.n, e.code AS enterprise_code, e.name AS enterprise_name,
       s.code AS source_code, s.name AS source_name, to_jsonb(c) AS whole,
       (SELECT max(v.at) FROM case_event v WHERE v.case_id = c.id AND v.event = 'rise') AS risen_at
FROM warning_case c
JOIN node s ON s.id = c.source
JOIN node e ON e.id = c.enterprise AND e.kind <> 'self_test'
WHERE (%(open)s::bool IS NULL OR (c.closed IS NULL) = %(open)s)
  AND (%(states)s::text[] IS NULL OR c.state = ANY(%(states)s))
  AND (%(colours)s::int2[] IS NULL OR c.colour = ANY(%(colours)s))
  AND (%(worst)s::int2[] IS NULL OR c.worst = ANY(%(worst)s))
  AND (%(nodes)s::int[] IS NULL OR c.source IN (SELECT id FROM below))
  AND (NOT %(unreceived)s::bool OR c.state = 'open')
  AND (%(begin)s::timestamptz IS NULL OR c.opened >= %(begin)s)
  AND (%(end)s::timestamptz IS NULL OR c.opened < %(end)s)
  AND (%(id)s::text IS NULL OR starts_with(c.id::text, %(id)s))
ORDER BY c.closed IS NOT NULL, c.number < 0, c.colour DESC, c.opened DESC, c.id
LIMIT %(limit)s

-- name: desk_rungs
-- The newest rungs of each of these cases, in order.
SELECT s.case_id, s.no, s.n, s.colour, s.role, s.level, s.after_s, s.due, s.done, s.by, s.outcome, s.unnamed,
       to_jsonb(s) AS whole
FROM unnest(%(cases)s::uuid[]) AS c (id)
CROSS JOIN LATERAL (
    SELECT * FROM escalation_step WHERE case_id = c.id ORDER BY no DESC LIMIT %(limit)s
) s
ORDER BY s.case_id, s.no

-- name: desk_case_journal
SELECT v.n, v.at, v.event, v.from_state, v.to_state, v.before,
       coalesce(lead(v.before) OVER (ORDER BY v.n), c.colour) AS colour, v.by, v.comment
FROM case_event v JOIN warning_case c ON c.id = v.case_id
WHERE v.case_id = %(id)s ORDER BY v.n

-- name: desk_alarms_of
-- The occurrences that a case refers to.
SELECT a.id, a.priority, a.state, a.kind, a.onset, a.text FROM alarm a WHERE a.id = ANY(%(ids)s)
ORDER BY a.onset, a.id

-- name: desk_self_test
-- Nodes that are the canary's.
SELECT id FROM node WHERE kind = 'self_test'
