-- What a batch brings besides its samples.

-- name: lock_mark
-- Up to which entry of an epoch this shard's batches are committed.
SELECT number FROM journal_mark WHERE shard = %(shard)s AND epoch = %(epoch)s FOR UPDATE;

-- name: read_mark
-- The same without waiting for who writes it.
SELECT number FROM journal_mark WHERE shard = %(shard)s AND epoch = %(epoch)s;

-- name: begin_marks
-- A mark that can be locked, of an epoch that may have none yet.
INSERT INTO journal_mark (shard, epoch, number) VALUES (%(shard)s, %(epoch)s, -1)
ON CONFLICT (shard, epoch) DO NOTHING;

-- name: set_mark
-- Batches up to this entry are committed with this transaction.
INSERT INTO journal_mark (shard, epoch, number) VALUES (%(shard)s, %(epoch)s, %(number)s)
ON CONFLICT (shard, epoch) DO UPDATE SET number = excluded.number;

-- name: insert_quarantined
-- What was not understood, once.
INSERT INTO quarantine (
    id, received_at, topic, gateway, enterprise, reason, detail, tag, time, payload, size)
VALUES (
    %(id)s, %(received)s, %(topic)s, %(gateway)s, %(enterprise)s, %(reason)s, %(detail)s, %(tag)s,
    %(time)s, %(payload)s, %(size)s)
ON CONFLICT (id) DO NOTHING;

-- name: lock_offsets
-- The clock offsets in a ledger, before more are added.
SELECT offsets FROM gateway_ledger WHERE gateway = %(gateway)s AND boot = %(boot)s FOR UPDATE;

-- name: upsert_ledger
-- Add to what is durable of a boot of a gateway. Its first seq stays, for receipts rest on it;
-- offsets come whole, NULL leaves them as they are.
INSERT INTO gateway_ledger (
    gateway, boot, seen, first_seq, oldest, newest_time, offsets, updated_at)
VALUES (
    %(gateway)s, %(boot)s, %(seen)s::int8multirange, %(first_seq)s, %(oldest)s, %(newest)s,
    coalesce(%(offsets)s::jsonb, '[]'), %(updated)s)
ON CONFLICT (gateway, boot) DO UPDATE
SET seen = gateway_ledger.seen + excluded.seen,
    oldest = greatest(gateway_ledger.oldest, excluded.oldest),
    newest_time = greatest(gateway_ledger.newest_time, excluded.newest_time),
    offsets = coalesce(%(offsets)s::jsonb, gateway_ledger.offsets),
    updated_at = greatest(gateway_ledger.updated_at, excluded.updated_at);

-- name: bound_ledger
-- Forget the lowest ranges of a ledger that has too many, but never the one that receipts have reached.
UPDATE gateway_ledger
SET seen = (
    SELECT range_agg(run) FROM (
        SELECT run FROM unnest(seen) AS run
        ORDER BY run @> greatest(first_seq, oldest) DESC, lower(run) DESC
        LIMIT %(most)s) AS kept)
WHERE gateway = %(gateway)s AND boot = %(boot)s
  AND (SELECT count(*) FROM unnest(seen)) > %(most)s;

-- name: add_counts
-- What became of messages and values of a gateway, on top of what there is.
INSERT INTO ingest_count (
    gateway, messages_received, messages_redelivered, messages_decoded, messages_repeated,
    messages_quarantined, values_decoded, values_stored, values_duplicate, values_conflict,
    values_quarantined)
VALUES (
    %(gateway)s, %(messages_received)s, %(messages_redelivered)s, %(messages_decoded)s,
    %(messages_repeated)s, %(messages_quarantined)s, %(values_decoded)s, %(values_stored)s,
    %(values_duplicate)s, %(values_conflict)s, %(values_quarantined)s)
ON CONFLICT (gateway) DO UPDATE
SET messages_received = ingest_count.messages_received + excluded.messages_received,
    messages_redelivered = ingest_count.messages_redelivered + excluded.messages_redelivered,
    messages_decoded = ingest_count.messages_decoded + excluded.messages_decoded,
    messages_repeated = ingest_count.messages_repeated + excluded.messages_repeated,
    messages_quarantined = ingest_count.messages_quarantined + excluded.messages_quarantined,
    values_decoded = ingest_count.values_decoded + excluded.values_decoded,
    values_stored = ingest_count.values_stored + excluded.values_stored,
    values_duplicate = ingest_count.values_duplicate + excluded.values_duplicate,
    values_conflict = ingest_count.values_conflict + excluded.values_conflict,
    values_quarantined = ingest_count.values_quarantined + excluded.values_quarantined;

-- name: upsert_gateway_state
-- The newest that a gateway said of itself.
INSERT INTO gateway_state (gateway, online, boot, said_at, received_at)
VALUES (%(gateway)s, %(online)s, %(boot)s, %(said_at)s, %(received)s)
ON CONFLICT (gateway) DO UPDATE
SET online = excluded.online, boot = excluded.boot, said_at = excluded.said_at,
    received_at = excluded.received_at
WHERE gateway_state.received_at <= excluded.received_at;

-- name: insert_plant_alarm
-- An alarm that the plant itself raised, once.
INSERT INTO plant_alarm (gateway, id, time, received_at, tag, kind, active, body)
VALUES (%(gateway)s, %(id)s, %(time)s, %(received)s, %(tag)s, %(kind)s, %(active)s, %(body)s)
ON CONFLICT (gateway, id, time) DO NOTHING;
