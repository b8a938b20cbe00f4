-- Roll-ups on TimescaleDB: hypertables by week and half-year.
CREATE TABLE sample_minute (LIKE rollup_part);
SELECT create_hypertable(
    'sample_minute', by_range('time', INTERVAL '7 days'), create_default_indexes => false
);
CREATE UNIQUE INDEX sample_minute_tag_time ON sample_minute (tag_id, time);
CREATE TABLE sample_hour (LIKE rollup_part);
SELECT create_hypertable(
    'sample_hour', by_range('time', INTERVAL '182 days'), create_default_indexes => false
);
CREATE UNIQUE INDEX sample_hour_tag_time ON sample_hour (tag_id, time);
