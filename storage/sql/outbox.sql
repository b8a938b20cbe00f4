-- The live stream.

-- name: lock_outbox
-- One transaction at a time gives out places, until it ends: who sees n has seen all below n. Who
-- is frozen with the lock is cut off; a server before 17 has no limit that reaches it.
SELECT pg_advisory_xact_lock(1212438092, 2),
       CASE WHEN current_setting('server_version_num')::int >= 170000
            THEN set_config('transaction_timeout', %(held_ms)s::text, true) END;

-- name: append_outbox
-- Events at the next places, each once. Whoever purges the table leaves its newest row.
WITH fresh AS (
    SELECT DISTINCT ON (id) said.*
    FROM json_populate_recordset(NULL::outbox, %(rows)s) WITH ORDINALITY AS said
    WHERE NOT EXISTS (SELECT FROM outbox WHERE outbox.id = said.id)
    ORDER BY id, ordinality
)
INSERT INTO outbox (seq, id, type, at, enterprise, node, tag_id, body)
SELECT (SELECT coalesce(max(seq), 0) FROM outbox) + row_number() OVER (ORDER BY ordinality),
       id, type, at, enterprise, node, tag_id, body
FROM fresh;

-- name: notify_outbox
-- Wake the live streams when the transaction commits.
SELECT pg_notify('hazwatch_outbox', '');
