-- Roll-ups on plain PostgreSQL: range partitions by month and year, made by storage/partitions.py
-- as data needs them.
CREATE TABLE sample_minute (LIKE rollup_part) PARTITION BY RANGE (time);
CREATE UNIQUE INDEX sample_minute_tag_time ON sample_minute (tag_id, time);
CREATE TABLE sample_hour (LIKE rollup_part) PARTITION BY RANGE (time);
CREATE UNIQUE INDEX sample_hour_tag_time ON sample_hour (tag_id, time);
