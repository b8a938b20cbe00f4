-- Occurrences, their journal, and what people asked for.

-- name: list_alarms
-- Occurrences, newest onset first. Filters that are NULL do not filter.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
)
SELECT a.id, a.lane, a.kind, a.tag_id, a.node, a.enterprise, a.priority, a.state, a.onset, a.effective, a.ended,
       a.closed, nullif(a.value, 'NaN') AS value, nullif(a.limit_value, 'NaN') AS limit_value,
       nullif(a.worst, 'NaN') AS worst, a.acknowledged_by, a.acknowledged_at, a.comment, a.reason, a.text, a.n,
       a.onset_last, a.answered_s, a.latching, a.stale, a.shelved, a.suppressed, a.out_of_service, a.eased, a.re_alarms, a.chatter, a.seen,
       CASE WHEN b.under IS NOT NULL OR b.first_out OR b.repeats > 0
                 OR CASE WHEN a.state = 'NORM' THEN b.most ELSE b.suppressed END > 0 THEN
           jsonb_build_object(
               'under', b.under, 'suppressed', CASE WHEN a.state = 'NORM' THEN b.most ELSE b.suppressed END,
               'first_out', b.first_out, 'uncertain', b.uncertain, 'repeats', b.repeats) END AS note,
       t.name AS tag_name, t.kind AS tag_kind, t.unit, n.name AS node_name, e.name AS enterprise_name,
       s.id AS source, s.name AS source_name
FROM alarm a
JOIN node n ON n.id = a.node
JOIN node s ON s.id = CASE WHEN n.kind IN ('equipment', 'group', 'rule') THEN n.parent ELSE n.id END
JOIN node e ON e.id = a.enterprise
LEFT JOIN tag t ON t.id = a.tag_id
LEFT JOIN desk_note b ON b.occurrence = a.id
WHERE a.enterprise = ANY(%(enterprises)s)
  AND (%(lane)s::int2 IS NULL OR a.lane = %(lane)s)
  AND (NOT %(open)s OR a.state <> 'NORM')
  AND (%(states)s::text[] IS NULL OR a.state = ANY(%(states)s))
  AND (%(acknowledged)s::bool IS NULL OR (a.state NOT IN ('UNACK', 'RTNUN', 'LATUN')) = %(acknowledged)s)
  AND (%(priorities)s::text[] IS NULL OR a.priority = ANY(%(priorities)s))
  AND (%(flags)s::text[] IS NULL
       OR ('shelved' = ANY(%(flags)s) AND a.shelved IS NOT NULL)
       OR ('suppressed' = ANY(%(flags)s) AND a.suppressed IS NOT NULL)
       OR ('out_of_service' = ANY(%(flags)s) AND a.out_of_service IS NOT NULL)
       OR ('stale' = ANY(%(flags)s) AND a.stale))
  AND (%(tag)s::int IS NULL OR a.tag_id = %(tag)s)
  AND (%(node)s::int IS NULL OR a.node IN (SELECT id FROM below))
  AND (%(id)s::uuid IS NULL OR a.id = %(id)s)
  AND (%(before)s::timestamptz IS NULL OR (a.onset, a.id) < (%(before)s::timestamptz, %(before_id)s::uuid))
ORDER BY a.onset DESC, a.id DESC
LIMIT %(limit)s

-- name: alarm_path
-- The node of an alarm and every node above it, removed ones among them.
WITH RECURSIVE path AS (
    SELECT n.id, n.parent FROM node n WHERE n.id = %(node)s
    UNION ALL
    SELECT n.id, n.parent FROM path p JOIN node n ON n.id = p.parent
)
SELECT id FROM path

-- name: count_alarms
-- What is open, and what is silenced: a shelf outlives its occurrence, so it counts where that is closed, too.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
), counted AS (
    SELECT state, stale, shelved IS NOT NULL AS shelved, suppressed IS NOT NULL AS suppressed,
           out_of_service IS NOT NULL AS out_of_service
    FROM alarm
    WHERE lane = 0 AND enterprise = ANY(%(enterprises)s)
      AND (state <> 'NORM' OR shelved IS NOT NULL)
      AND (%(node)s::int IS NULL OR node IN (SELECT id FROM below))
)
SELECT count(*) FILTER (WHERE state <> 'NORM') AS open,
       count(*) FILTER (WHERE state IN ('UNACK', 'ACKED')) AS active,
       count(*) FILTER (WHERE state IN ('UNACK', 'RTNUN', 'LATUN')) AS unacknowledged,
       count(*) FILTER (WHERE state IN ('UNACK', 'RTNUN', 'LATUN')
                          AND NOT (shelved OR suppressed OR out_of_service)) AS annunciated,
       count(*) FILTER (WHERE state IN ('LATUN', 'LATAC')) AS latched,
       count(*) FILTER (WHERE shelved) AS shelved,
       count(*) FILTER (WHERE suppressed) AS suppressed,
       count(*) FILTER (WHERE out_of_service) AS out_of_service,
       count(*) FILTER (WHERE stale AND state <> 'NORM') AS stale
FROM counted

-- name: alarm_journal
-- Every transition of one occurrence, in order.
SELECT e.n, e.at, e.event, e.from_state, e.to_state, e.by, e.comment
FROM alarm_event e JOIN alarm a ON a.id = e.occurrence
WHERE e.occurrence = %(id)s AND a.enterprise = ANY(%(enterprises)s)
ORDER BY e.n

-- name: record_action
-- What a person decided, and a nudge to the worker; no row if this key was used before by the same person.
WITH recorded AS (
    INSERT INTO operator_action (id, key, by, verb, target, enterprise, comment, level, requested_at, detail)
    VALUES (%(id)s, %(key)s, %(by)s, %(verb)s, %(target)s, %(enterprise)s, %(comment)s, %(level)s, %(at)s,
            %(detail)s)
    ON CONFLICT (by, key) DO NOTHING
    RETURNING id
)
SELECT id, pg_notify('hazwatch_action', id::text) FROM recorded

-- name: action_by_key
SELECT id, verb, target, enterprise, by, comment, level, detail, requested_at, done_at, result
FROM operator_action WHERE by = %(by)s AND key = %(key)s

-- name: action_by_id
SELECT id, verb, target, enterprise, by, comment, level, detail, requested_at, done_at, result
FROM operator_action WHERE id = %(id)s AND enterprise = ANY(%(enterprises)s)
