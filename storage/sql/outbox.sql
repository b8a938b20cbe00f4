-- The live stream.

-- name: lock_outbox
-- One transaction at a time gives out places, until it ends: who sees n has seen all below n.
SELECT pg_advisory_xact_lock(1212438092, 2);

-- name: append_outbox
-- An event at the next place, once. Whoever purges the table leaves its newest row.
INSERT INTO outbox (seq, id, type, at, enterprise, node, tag_id, body)
SELECT coalesce(max(seq), 0) + 1, %(id)s, %(type)s, %(at)s, %(enterprise)s, %(node)s, %(tag)s, %(body)s
FROM outbox
ON CONFLICT (id) DO NOTHING;

-- name: notify_outbox
-- Wake the live streams when the transaction commits.
SELECT pg_notify('hazwatch_outbox', '');
