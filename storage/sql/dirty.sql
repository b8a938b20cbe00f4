-- History that has to be judged again.

-- name: quiet_ranges
-- Ranges into which nothing has come for a while.
SELECT tag_id, time_from, time_to, marked_at
FROM dirty_range JOIN tag ON tag.id = dirty_range.tag_id
WHERE marked_at <= %(since)s AND tag.enterprise = ANY(%(enterprises)s)
ORDER BY marked_at, tag_id
LIMIT %(limit)s;

-- name: clean_range
-- Forget a range unless it was marked again.
DELETE FROM dirty_range WHERE tag_id = %(tag)s AND marked_at = %(marked_at)s;
