-- Warning cases with their ladders and notices, and the dynamic risk of sources, as the api shows them.

-- name: list_cases
-- Warning cases, newest opened first. Filters that are NULL do not filter.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
)
SELECT c.id, c.number, c.source, c.enterprise, c.state, c.colour, c.worst, c.unknown, c.opened, c.closed,
       c.released, c.released_by, c.receipts, c.alarms, c.risen, c.loop, n.name AS source_name, e.name AS enterprise_name
FROM warning_case c
JOIN node n ON n.id = c.source
JOIN node e ON e.id = c.enterprise
WHERE c.enterprise = ANY(%(enterprises)s)
  AND (%(open)s::bool IS NULL OR (c.closed IS NULL) = %(open)s)
  AND (%(drill)s::bool IS NULL OR (c.number < 0) = %(drill)s)
  AND (%(colours)s::int2[] IS NULL OR c.colour = ANY(%(colours)s))
  AND (%(node)s::int IS NULL OR c.source IN (SELECT id FROM below))
  AND (%(id)s::uuid IS NULL OR c.id = %(id)s)
  AND (%(before)s::timestamptz IS NULL OR (c.opened, c.id) < (%(before)s::timestamptz, %(before_id)s::uuid))
ORDER BY c.opened DESC, c.id DESC
LIMIT %(limit)s

-- name: case_rungs
-- The newest rungs of each of these cases, in order: a case that rises and falls for days has very many.
SELECT s.case_id, s.no, s.colour, s.role, s.level, s.after_s, s.due, s.done, s.by, s.outcome, s.unnamed, s.duty
FROM warning_case c
CROSS JOIN LATERAL (
    SELECT * FROM escalation_step WHERE case_id = c.id ORDER BY no DESC LIMIT %(limit)s
) s
WHERE c.id = ANY(%(cases)s) AND c.enterprise = ANY(%(enterprises)s)
ORDER BY s.case_id, s.no

-- name: rung_notices
-- What went out for each of these rungs, given as two arrays of equal length; each with its newest looks, in order.
SELECT n.occurrence, n.step, n.channel, n.recipient, n.created, n.delivered, n.failed, n.withdrawn, n.attempts, n.error,
       n.person, coalesce(t.tries, '[]') AS tries
FROM unnest(%(cases)s::uuid[], %(steps)s::int[]) AS r (case_id, no)
JOIN warning_case c ON c.id = r.case_id AND c.enterprise = ANY(%(enterprises)s)
CROSS JOIN LATERAL (
    SELECT * FROM notice WHERE occurrence = r.case_id AND step = r.no ORDER BY created, id LIMIT %(limit)s
) n
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('at', at, 'channel', channel, 'outcome', outcome, 'error', error) ORDER BY at) AS tries
    FROM (SELECT * FROM notice_attempt WHERE notice = n.id ORDER BY at DESC LIMIT %(tries)s) newest
) t
ORDER BY n.occurrence, n.step, n.created, n.id

-- name: ending_notices
-- What went out, beside its rungs, when a case rose, fell, was verified or closed, and to hot work near gas, the newest, in order; each with its newest looks, in order.
SELECT CASE n.body ->> 'role' WHEN 'permit' THEN 'hot_work' ELSE n.body ->> 'reason' END AS event, n.body ->> 'colour' AS colour, n.body ->> 'role' AS role,
       n.body ->> 'role_name' AS role_name, n.channel, n.recipient, n.created, n.delivered, n.failed,
       n.withdrawn, n.attempts, n.error, n.person, coalesce(t.tries, '[]') AS tries
FROM (
    SELECT n.* FROM notice n
    JOIN warning_case c ON c.id = n.occurrence AND c.enterprise = ANY(%(enterprises)s)
    WHERE n.occurrence = %(id)s AND n.step IS NULL
      AND (n.body ->> 'reason' IN ('risen', 'fallen', 'closed') OR n.body ->> 'reason' = 'verified'
           OR n.body ->> 'role' = 'permit')
    ORDER BY n.created DESC, n.id LIMIT %(limit)s
) n
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('at', at, 'channel', channel, 'outcome', outcome, 'error', error) ORDER BY at) AS tries
    FROM (SELECT * FROM notice_attempt WHERE notice = n.id ORDER BY at DESC LIMIT %(tries)s) newest
) t
ORDER BY n.created, n.id

-- name: case_journal
-- The newest transitions of one case, in order, each with the colour that it left behind.
SELECT * FROM (
    SELECT v.n, v.at, v.event, v.from_state, v.to_state, v.before,
           coalesce(lead(v.before) OVER (ORDER BY v.n), c.colour) AS colour, v.by, v.comment
    FROM case_event v JOIN warning_case c ON c.id = v.case_id
    WHERE v.case_id = %(id)s AND c.enterprise = ANY(%(enterprises)s)
    ORDER BY v.n DESC
    LIMIT %(limit)s
) newest
ORDER BY n

-- name: case_feedback
-- The newest feedback of one case, in order.
SELECT * FROM (
    SELECT f.by, f.at, f.n, f.level, f.colour, f.text, f.reading, f.person, f.files
    FROM case_feedback f JOIN warning_case c ON c.id = f.case_id
    WHERE f.case_id = %(id)s AND c.enterprise = ANY(%(enterprises)s)
    ORDER BY f.n DESC
    LIMIT %(limit)s
) newest
ORDER BY n

-- name: receive_median
-- Seconds from a rise to the first 签收 after it, as a median over the newest rises of one enterprise that were signed for; drills left out.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS median, count(*) AS signed FROM (
    SELECT extract(epoch FROM s.at - r.at)::float8 AS took
    FROM warning_case c
    JOIN case_event r ON r.case_id = c.id AND r.event = 'rise'
    CROSS JOIN LATERAL (
        SELECT v.at, v.event FROM case_event v
        WHERE v.case_id = r.case_id AND v.n > r.n AND v.event IN ('rise', 'receive')
        ORDER BY v.n LIMIT 1
    ) s
    WHERE c.enterprise = (SELECT enterprise FROM warning_case WHERE id = %(id)s)
      AND c.enterprise = ANY(%(enterprises)s) AND s.event = 'receive' AND c.number > 0
    ORDER BY r.at DESC LIMIT %(limit)s
) newest

-- name: case_to_act_on
-- What has to be known of a case before an action on it is recorded; path: its source and every node above it.
WITH RECURSIVE path AS (
    SELECT n.id, n.parent FROM warning_case c JOIN node n ON n.id = c.source WHERE c.id = %(id)s
    UNION ALL
    SELECT n.id, n.parent FROM path p JOIN node n ON n.id = p.parent
)
SELECT c.enterprise, c.closed, ARRAY(SELECT id FROM path) AS path
FROM warning_case c WHERE c.id = %(id)s AND c.enterprise = ANY(%(enterprises)s)

-- name: list_risks
-- The dynamic risk of each present source as it was last told, by source.
WITH RECURSIVE below AS (
    SELECT id FROM node WHERE id = %(node)s
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id
)
SELECT r.source, r.enterprise, r.at, r.colour, r.unknown, r.score, r.maybe_test, r.floors, r.reasons, r.version,
       n.name AS source_name, e.name AS enterprise_name
FROM source_risk r
JOIN node n ON n.id = r.source AND n.removed_at IS NULL
JOIN node e ON e.id = r.enterprise
WHERE r.enterprise = ANY(%(enterprises)s)
  AND (%(node)s::int IS NULL OR r.source IN (SELECT id FROM below))
  AND r.source > %(after)s
ORDER BY r.source
LIMIT %(limit)s

-- name: source_to_act_on
-- What has to be known of a present hazard source before a drill 演练 of it is recorded; path: it and every node above it.
WITH RECURSIVE path AS (
    SELECT n.id, n.parent FROM node n WHERE n.id = %(id)s
    UNION ALL
    SELECT n.id, n.parent FROM path p JOIN node n ON n.id = p.parent
)
SELECT s.enterprise, NULL::timestamptz AS closed, ARRAY(SELECT id FROM path) AS path
FROM node s
WHERE s.id = %(id)s AND s.kind = 'source' AND s.removed_at IS NULL
  AND (%(enterprises)s::int[] IS NULL OR s.enterprise = ANY(%(enterprises)s))
