-- Ledgers of gateways.

-- name: read_ledgers
-- The last boots of some gateways, the newest last.
SELECT gateway, boot, seen, first_seq, oldest, newest_time, offsets, updated_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY gateway ORDER BY updated_at DESC, boot) AS place
    FROM gateway_ledger WHERE gateway = ANY(%(gateways)s)) ranked
WHERE place <= %(boots)s
ORDER BY gateway, place DESC;
