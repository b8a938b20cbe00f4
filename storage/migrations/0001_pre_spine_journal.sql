-- What the journal of a worker has brought into the database.
CREATE TABLE journal_mark (
    shard  text NOT NULL,
    epoch  int8 NOT NULL,
    number int8 NOT NULL,
    PRIMARY KEY (shard, epoch)
);
COMMENT ON TABLE journal_mark IS 'batches of entries up to number, of the worker that held this epoch, are committed; written with them';
