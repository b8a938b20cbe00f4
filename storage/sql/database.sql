-- What the server is.

-- name: server_facts
-- Version, edition and licence of the server, and whether the samples are partitioned by us.
SELECT
    current_setting('server_version_num')::int,
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
    CASE WHEN EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
         THEN current_setting('timescaledb.license', true) END,
    coalesce((SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('sample')), false);

-- name: listen
-- Hear what is notified on a channel.
LISTEN {channel};

-- name: still_there
-- Whether the connection still stands.
SELECT 1;
