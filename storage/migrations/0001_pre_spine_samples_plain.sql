-- Samples on plain PostgreSQL: range partitions by day, made by
-- storage/partitions.py as data needs them.
CREATE TABLE sample (
    tag_id      int4        NOT NULL,
    time        timestamptz NOT NULL,
    value       float8      NOT NULL,
    quality     int2        NOT NULL,
    flags       int2        NOT NULL,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (time);
CREATE UNIQUE INDEX sample_tag_time ON sample (tag_id, time);
CREATE INDEX sample_received ON sample (received_at);
