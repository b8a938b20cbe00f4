-- Leases of shards.

-- name: lock_lease
-- The epoch of a shard, held against a take-over until the transaction ends.
SELECT epoch FROM lease WHERE shard = %(shard)s FOR SHARE;

-- name: take_lease
-- Take a lease that is new, ours already, or has run out; no row where it is another's.
INSERT INTO lease (shard, holder, epoch, renewed_at, expires_at)
VALUES (%(shard)s, %(holder)s, 1, %(at)s, %(expires)s)
ON CONFLICT (shard) DO UPDATE
SET holder = excluded.holder, epoch = lease.epoch + 1,
    renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
WHERE lease.holder = excluded.holder OR lease.expires_at <= excluded.renewed_at
RETURNING epoch;

-- name: renew_lease
-- Prolong a lease of which we still have the epoch.
UPDATE lease SET renewed_at = %(at)s, expires_at = %(expires)s
WHERE shard = %(shard)s AND epoch = %(epoch)s;
