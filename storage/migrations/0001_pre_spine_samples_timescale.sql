-- Samples on TimescaleDB: a hypertable by day.
CREATE TABLE sample (
    tag_id      int4        NOT NULL,
    time        timestamptz NOT NULL,
    value       float8      NOT NULL,
    quality     int2        NOT NULL,
    flags       int2        NOT NULL,
    received_at timestamptz NOT NULL
);
SELECT create_hypertable(
    'sample', by_range('time', INTERVAL '1 day'), create_default_indexes => false
);
CREATE UNIQUE INDEX sample_tag_time ON sample (tag_id, time);
CREATE INDEX sample_received ON sample (received_at);
