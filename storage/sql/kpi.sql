-- Alarm and warning KPIs: positions, journals packed for NumPy, cases. Drills 演练 (number < 0) count in none.

-- name: kpi_positions
-- Nodes of these kinds at or below a node (NULL: all), with their visible enterprises and since when these have tags.
WITH RECURSIVE up AS (
    SELECT e.id AS enterprise, e.id AS node, e.parent, 0 AS height FROM node e
    WHERE e.kind = 'enterprise' AND e.removed_at IS NULL
      AND (%(enterprises)s::int[] IS NULL OR e.id = ANY(%(enterprises)s))
    UNION ALL
    SELECT u.enterprise, n.id, n.parent, u.height + 1 FROM up u JOIN node n ON n.id = u.parent
)
SELECT n.id, n.code, n.name, n.kind, array_agg(u.enterprise ORDER BY u.enterprise) AS enterprises,
       (SELECT min(t.since) FROM tag t WHERE t.enterprise = ANY(array_agg(u.enterprise))) AS since
FROM up u JOIN node n ON n.id = u.node
WHERE n.kind = ANY(%(kinds)s)
  AND (%(areas)s::int[] IS NULL OR n.kind = 'enterprise' OR n.id = ANY(%(areas)s))
  AND (%(node)s::int IS NULL OR EXISTS (
      SELECT FROM up b WHERE b.enterprise = u.enterprise AND b.node = %(node)s AND b.height >= u.height))
GROUP BY n.id, n.code, n.name, n.kind
ORDER BY n.name, n.id

-- name: kpi_place
-- Kind of a node, and whether it is visible.
SELECT id, kind, name FROM node
WHERE id = %(node)s AND (%(enterprises)s::int[] IS NULL OR enterprise = ANY(%(enterprises)s) OR id = ANY(%(areas)s))

-- name: kpi_sizes
-- By enterprise the journal rows of live occurrences that may have transitions in a period, at most.
SELECT enterprise, sum(n)::int8 AS rows FROM alarm
WHERE lane = 0 AND onset < %(to)s AND (closed IS NULL OR closed >= %(from)s)
GROUP BY enterprise

-- name: kpi_alarms
-- Live occurrences that may have transitions in a period, as columns: key, enterprise, tag, node, kind * 8 + priority,
-- and from when to when (infinity: still) they were in alarm.
SELECT array_send(array_agg(uuid_hash_extended(id, 0))) AS key, array_send(array_agg(enterprise)) AS enterprise,
       array_send(array_agg(coalesce(tag_id, -1))) AS tag, array_send(array_agg(node)) AS node,
       array_send(array_agg(coalesce(array_position(%(kinds)s::text[], kind), 0) * 8 + right(priority, 1)::int)) AS sort,
       array_send(array_agg(onset)) AS onset, array_send(array_agg(coalesce(ended, 'infinity'))) AS ended
FROM alarm
WHERE lane = 0 AND enterprise = ANY(%(enterprises)s) AND onset < %(to)s AND (closed IS NULL OR closed >= %(from)s)

-- name: kpi_events
-- Transitions of a period that count, as columns: key of the occurrence, instant, number * 128 + bits of domain.kpi_journal.What.
-- Of some enterprises, or (NULL) of all, those of replays among them.
SELECT array_send(array_agg(uuid_hash_extended(occurrence, 0))) AS key, array_send(array_agg(at)) AS at,
       array_send(array_agg(n * 128 + CASE event
           WHEN 'raise' THEN CASE
               WHEN body ->> 'shelved' IS NOT NULL OR body ->> 'suppressed' IS NOT NULL
                    OR body ->> 'out_of_service' IS NOT NULL THEN 32
               WHEN to_state = 'UNACK' AND from_state <> 'UNACK' THEN 1 ELSE 0 END
               + CASE WHEN from_state IN ('UNACK', 'ACKED') THEN 0 ELSE 2 END
           WHEN 'return' THEN CASE WHEN to_state = 'NORM' THEN 24 ELSE 8 END
           WHEN 'acknowledge' THEN CASE WHEN to_state = 'NORM' THEN 20 ELSE 4 END
           ELSE other END)) AS what
FROM alarm_event
CROSS JOIN LATERAL (SELECT
    CASE WHEN from_state NOT IN ('UNACK', 'ACKED') AND to_state IN ('UNACK', 'ACKED') THEN 2 ELSE 0 END
    + CASE WHEN from_state IN ('UNACK', 'ACKED') AND to_state NOT IN ('UNACK', 'ACKED') THEN 8 ELSE 0 END
    + CASE WHEN to_state = 'NORM' AND from_state <> 'NORM' THEN 16 ELSE 0 END
    + CASE WHEN to_state <> 'UNACK' OR (
               from_state = 'UNACK' AND event NOT IN ('unshelve', 'unsuppress', 'return_to_service', 'upgrade')) THEN 0
           WHEN body ->> 'shelved' IS NOT NULL OR body ->> 'suppressed' IS NOT NULL
                OR body ->> 'out_of_service' IS NOT NULL THEN 32
           ELSE 1 END
    + CASE WHEN event NOT IN ('shelve', 'suppress', 'remove_from_service') THEN 0
           WHEN coalesce(
               nullif(body -> 'shelved' ->> 'by', ''), nullif(body -> 'suppressed' ->> 'by', ''),
               nullif(body -> 'out_of_service' ->> 'by', ''), nullif(body -> 'shelved' ->> 'rule', ''),
               nullif(body -> 'suppressed' ->> 'rule', ''), nullif(body -> 'out_of_service' ->> 'rule', '')
           ) IS NULL THEN 64 ELSE 0 END AS other) what
WHERE at >= %(from)s AND at < %(to)s
  AND event IN ('raise', 'return', 'acknowledge', 're_alarm', 'reset', 'close', 'shelve', 'unshelve', 'suppress',
                'unsuppress', 'remove_from_service', 'return_to_service', 'upgrade')
  AND (%(only)s::int[] IS NULL OR occurrence IN (
      SELECT id FROM alarm
      WHERE lane = 0 AND enterprise = ANY(%(only)s) AND onset < %(to)s AND (closed IS NULL OR closed >= %(from)s)))

-- name: kpi_tags
-- Names and kinds of tags, with the names of the nodes that they stand at.
SELECT t.id, t.name, t.kind, n.name AS place FROM tag t JOIN node n ON n.id = t.source WHERE t.id = ANY(%(ids)s)

-- name: kpi_nodes
-- Names of nodes.
SELECT id, name FROM node WHERE id = ANY(%(ids)s)

-- name: kpi_case_steps
-- What happened to the warning cases that rose in a period, until an instant; level: who signed.
SELECT e.case_id, e.n, e.at, e.event, e.to_state, (e.body ->> 'colour')::int AS colour, c.source, c.enterprise,
       CASE WHEN e.event = 'receive' THEN (
           SELECT (r ->> 'level')::int FROM jsonb_array_elements(e.body -> 'receipts') r
           WHERE (r ->> 'n')::int = e.n LIMIT 1) END AS level
FROM warning_case c JOIN case_event e ON e.case_id = c.id
WHERE c.number > 0 AND c.enterprise = ANY(%(enterprises)s) AND c.opened < %(to)s AND (c.closed IS NULL OR c.closed >= %(from)s)
  AND e.at < %(until)s AND (e.event IN ('rise', 'receive', 'feedback') OR e.to_state = 'closed')
ORDER BY e.case_id, e.n

-- name: kpi_asked
-- When which level was told of which rise; received: when the first of its notices arrived with people or their programs, NULL: none
-- did. What only the log was told reached nobody.
SELECT s.case_id, s.n, s.level, s.duty, s.done AS at, min(o.delivered) AS received
FROM warning_case c JOIN escalation_step s ON s.case_id = c.id
LEFT JOIN LATERAL (
    SELECT min(delivered) AS delivered FROM notice
    WHERE occurrence = s.case_id AND step = s.no AND channel <> 'log') o ON true
WHERE c.number > 0 AND c.enterprise = ANY(%(enterprises)s) AND c.opened < %(to)s AND (c.closed IS NULL OR c.closed >= %(from)s)
  AND s.outcome = 'told' AND s.done < %(until)s
GROUP BY s.case_id, s.n, s.level, s.duty, s.done
