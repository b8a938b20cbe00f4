-- Partitions of samples and roll-ups on plain PostgreSQL.

-- name: lock_partitions
-- One process makes partitions at a time, until its transaction ends.
SELECT pg_advisory_xact_lock(1212438092, 3);

-- name: partitions_of
-- The bounds of the partitions that a table has, as UTC days: the first, and the one after the last.
SELECT (said[1]::timestamptz AT TIME ZONE 'UTC')::date, (said[2]::timestamptz AT TIME ZONE 'UTC')::date
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid,
     regexp_match(pg_get_expr(relpartbound, pg_class.oid), $$FROM \('(.*)'\) TO \('(.*)'\)$$) AS said
WHERE inhparent = %(table)s::regclass;

-- name: create_partition
-- A table of the same shape; attaching it locks out nobody, where PARTITION OF would stop readers.
CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);

-- name: attach_partition
-- Make it the place of a span of time; the indexes follow by themselves.
ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({after});
