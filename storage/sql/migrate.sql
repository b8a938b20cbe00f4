-- What the migration runner asks and says besides the migrations themselves.

-- name: lock_migrations
-- One process migrates at a time; the others wait and then find the work done.
SELECT pg_advisory_xact_lock(1212438092, 1);

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
