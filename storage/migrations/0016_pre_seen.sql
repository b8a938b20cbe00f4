-- Which desks above the enterprise have looked at an occurrence.

ALTER TABLE alarm ADD COLUMN seen jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN alarm.seen IS '已阅: [{"level": park, county, city or province, "by", "at"}], the newest of each level';
