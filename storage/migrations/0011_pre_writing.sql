-- Writing faster: the newest of many tags is written behind, and received_at has a small index.
CREATE TABLE latest_behind (
    shard text PRIMARY KEY,
    since timestamptz NOT NULL
);
COMMENT ON TABLE latest_behind IS 'tag_latest may lack samples that were received since then; written with them, gone when it has them';

-- Rows lie in the order in which they were received, so ranges of pages tell as much as a tree does.
DROP INDEX sample_received;
CREATE INDEX sample_received ON sample USING brin (received_at) WITH (autosummarize = on);
