-- The live stream as it is read. Sequence numbers are taken in commit order, so "greater than" misses nothing.

-- name: outbox_bounds
-- Oldest and newest sequence number that are still kept; 0 and 0 while there are none.
SELECT coalesce(min(seq), 0) AS oldest, coalesce(max(seq), 0) AS newest FROM outbox

-- name: outbox_after
SELECT seq, type, enterprise, node, body::text AS data
FROM outbox WHERE seq > %(after)s ORDER BY seq LIMIT %(limit)s
