-- What people decided, as the worker meets it.

-- name: pending_actions
-- Decisions for some enterprises, or for all (NULL), that nobody has applied yet, in the order they were made.
SELECT id, verb, target, by, comment, requested_at, level, detail
FROM operator_action
WHERE done_at IS NULL
  AND (%(enterprises)s::int[] IS NULL OR enterprise = ANY(%(enterprises)s))
ORDER BY requested_at, id;

-- name: pending_targets
-- Of what nobody has applied yet: the occurrences and cases that were decided on.
SELECT DISTINCT target FROM operator_action WHERE done_at IS NULL;

-- name: action_done
-- What became of a decision, once, and word to whoever waits for it when the transaction commits.
WITH done AS (
    UPDATE operator_action SET done_at = %(at)s, result = %(result)s
    WHERE id = %(id)s AND done_at IS NULL
    RETURNING id)
SELECT pg_notify('hazwatch_action_done', id::text) FROM done;
