-- Leases of shards.

-- name: lock_lease
-- The epoch of a shard, held against a take-over until the transaction ends, though not against a
-- renewal; and who falls silent in it, frozen or cut off, is cut short (not in a COPY or pipeline).
SELECT epoch, set_config('idle_in_transaction_session_timeout', %(idle_ms)s::text, true)
FROM lease WHERE shard = %(shard)s FOR KEY SHARE;

-- name: enter_lease
-- As lock_lease, for who may have to wait in the transaction.
SELECT FROM lease WHERE shard = %(shard)s FOR KEY SHARE;

-- name: seen_lease
-- Who holds a lease, what changes whenever it is taken or renewed, and whether it was given up. It
-- waits for nobody.
SELECT holder, epoch, renewed_at, expires_at <= renewed_at AS given_up
FROM lease WHERE shard = %(shard)s;

-- name: hold_lease
-- Wait until no transaction is left that has passed the fence.
SELECT FROM lease WHERE shard = %(shard)s FOR UPDATE;

-- name: own_pid
-- The server's process of this connection.
SELECT pg_backend_pid();

-- name: take_lease
-- Take a lease that is new, ours already, given up, or still is as it was seen; no row where it is
-- another's.
INSERT INTO lease (shard, holder, epoch, renewed_at, expires_at)
VALUES (%(shard)s, %(holder)s, 1, %(at)s, %(expires)s)
ON CONFLICT (shard) DO UPDATE
SET holder = excluded.holder, epoch = lease.epoch + 1,
    renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
WHERE lease.holder = excluded.holder OR lease.expires_at <= lease.renewed_at
   OR (lease.epoch, lease.renewed_at) = (%(seen_epoch)s::bigint, %(seen_renewed)s::timestamptz)
RETURNING epoch;

-- name: end_holders
-- End what keeps a taker from a lease that still is as it was seen, where it is of our own role: a
-- process that is frozen in a COPY is cut short by no timeout.
SELECT a.pid, a.usename, a.application_name, a.state,
       CASE WHEN a.usename = current_user THEN pg_terminate_backend(a.pid) ELSE false END AS ended
FROM unnest(pg_blocking_pids(%(taker)s)) AS held(pid)
JOIN pg_stat_activity a USING (pid)
WHERE EXISTS (SELECT FROM lease WHERE shard = %(shard)s AND epoch = %(seen_epoch)s
              AND renewed_at = %(seen_renewed)s);

-- name: renew_lease
-- Prolong a lease of which we still have the epoch.
UPDATE lease SET renewed_at = %(at)s, expires_at = %(expires)s
WHERE shard = %(shard)s AND epoch = %(epoch)s;
