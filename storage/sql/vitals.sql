-- What the doctor asks. It writes nothing.

-- name: server_clock
-- What the server's clock says.
SELECT clock_timestamp();

-- name: schema_revision
-- Which migrations have run; it fails where none has.
SELECT version_num FROM alembic_version;

-- name: lease_of
-- Who works for a shard; given up in order where it ran out the moment it was renewed.
SELECT holder, renewed_at, expires_at FROM lease WHERE shard = %(shard)s;

-- name: free_connections
-- Connections that hazwatch can still get beside this one, and how many the server has at all.
SELECT
    current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int
    - (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::int;

-- name: durability
-- Whether what is committed survives a crash of the server, and of its machine.
SELECT current_setting('fsync'), current_setting('full_page_writes'),
       current_setting('synchronous_commit');
