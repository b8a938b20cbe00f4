-- Leases of shards.

-- name: lock_lease
-- The epoch of a shard, held against a take-over until the transaction ends; and who falls silent in
-- it, frozen or cut off, is cut short, for else the row would be held for ever.
SELECT epoch, set_config('idle_in_transaction_session_timeout', %(idle_ms)s::text, true)
FROM lease WHERE shard = %(shard)s FOR SHARE;

-- name: take_lease
-- Take a lease that is new, ours already, has run out, or still is as it was seen; no row where it is
-- another's.
INSERT INTO lease (shard, holder, epoch, renewed_at, expires_at)
VALUES (%(shard)s, %(holder)s, 1, %(at)s, %(expires)s)
ON CONFLICT (shard) DO UPDATE
SET holder = excluded.holder, epoch = lease.epoch + 1,
    renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
WHERE lease.holder = excluded.holder OR lease.expires_at <= excluded.renewed_at
   OR (lease.epoch, lease.renewed_at) = (%(seen_epoch)s::bigint, %(seen_renewed)s::timestamptz)
RETURNING epoch;

-- name: seen_lease
-- Who holds a lease, and what changes whenever it is taken or renewed.
SELECT holder, epoch, renewed_at FROM lease WHERE shard = %(shard)s;

-- name: renew_lease
-- Prolong a lease of which we still have the epoch.
UPDATE lease SET renewed_at = %(at)s, expires_at = %(expires)s
WHERE shard = %(shard)s AND epoch = %(epoch)s;
