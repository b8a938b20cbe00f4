-- What the migration runner asks and says besides the migrations themselves.

-- name: lock_migrations
-- One process migrates at a time; the others wait and then find the work done.
SELECT pg_advisory_xact_lock(1212438092, 1);

-- name: wait_shortly
-- For the rest of the transaction: whoever reads a table for long is not waited for, as everybody else would queue behind us.
SELECT set_config('lock_timeout', %(ms)s, true);

-- name: who_uses_tables
-- Sessions that hold a lock on a table of this database, the longest transaction first; texts of others are for privileged users.
SELECT a.pid, a.application_name, a.usename, left(regexp_replace(a.query, '\s+', ' ', 'g'), 80)
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid()
  AND EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
              WHERE l.pid = a.pid AND l.granted
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND c.relnamespace = current_schema()::regnamespace)
ORDER BY a.xact_start NULLS LAST, a.pid
LIMIT 3;

-- name: timescale_offered
-- Whether TimescaleDB is installed on the server and loaded into it.
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
   AND current_setting('timescaledb.disable_load', true) IS NOT NULL;

-- name: timescale_created
-- Whether this database has the extension.
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb');

-- name: create_timescale
-- Needs a superuser; where an administrator created it beforehand this is not run.
CREATE EXTENSION timescaledb;
