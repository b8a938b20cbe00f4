CREATE TABLE gap (
    id         text PRIMARY KEY,
    kind       text NOT NULL,
    enterprise int  NOT NULL REFERENCES node,
    gateway    int,
    tag_id     int,
    time_from  timestamptz NOT NULL,
    time_to    timestamptz,
    remaining  tstzmultirange NOT NULL,
    tags       int  NOT NULL DEFAULT 0,
    boot       text,
    seq_from   int8,
    seq_to     int8,
    seq_left   int8multirange,
    cause      text NOT NULL,
    settled    bool NOT NULL DEFAULT false,
    seen_at    timestamptz NOT NULL,
    filled_at  timestamptz,
    filled_by  text,
    lost_at    timestamptz
);
CREATE INDEX gap_enterprise ON gap (enterprise, time_from, id);
CREATE INDEX gap_tag ON gap (tag_id, time_from) WHERE tag_id IS NOT NULL;
CREATE INDEX gap_gateway ON gap (gateway, time_from) WHERE kind <> 'tag';
CREATE INDEX gap_open ON gap (kind) WHERE time_to IS NULL;
CREATE INDEX gap_unsettled ON gap (kind) WHERE NOT settled;
CREATE INDEX gap_seq ON gap (gateway, boot) WHERE kind = 'messages' AND filled_at IS NULL AND lost_at IS NULL;
COMMENT ON TABLE gap IS
    'missing data 缺失台账: of a tag, of all tags of a gateway at once, or numbered messages of a gateway';
COMMENT ON COLUMN gap.remaining IS
    'what is still missing between time_from and time_to; of a gateway: by a tag of which gap_part says nothing';
COMMENT ON COLUMN gap.tags IS 'of a gateway: how many tags it stands for';
COMMENT ON COLUMN gap.settled IS 'whether the cause is final';
COMMENT ON COLUMN gap.lost_at IS 'of messages: since when their gateway has them no more';

CREATE TABLE gap_part (
    gap       text NOT NULL REFERENCES gap ON DELETE CASCADE,
    tag_id    int  NOT NULL,
    remaining tstzmultirange NOT NULL,
    PRIMARY KEY (gap, tag_id)
);
COMMENT ON TABLE gap_part IS
    'what is still missing of a tag in a gap of its gateway, once samples have come for it';

CREATE TABLE gap_touched (
    tag_id    int PRIMARY KEY,
    time_from timestamptz NOT NULL,
    time_to   timestamptz NOT NULL
);
COMMENT ON TABLE gap_touched IS
    'spans into which live samples of wrong clocks were stored: gaps in them are looked at again';

CREATE TABLE tag_gateway (
    tag_id  int PRIMARY KEY,
    gateway int NOT NULL
);
COMMENT ON TABLE tag_gateway IS 'who sends a tag, as the gap ledger sees it';

CREATE TABLE gap_boot (
    gateway     int  NOT NULL,
    boot        text NOT NULL,
    highest     int8 NOT NULL,
    newest_time timestamptz,
    PRIMARY KEY (gateway, boot)
);
COMMENT ON TABLE gap_boot IS 'up to where the counting of a boot was looked through for missing messages';

CREATE TABLE deaf (
    shard     text NOT NULL,
    cause     text NOT NULL,
    time_from timestamptz NOT NULL,
    time_to   timestamptz,
    PRIMARY KEY (shard, time_from)
);
COMMENT ON TABLE deaf IS
    'when we did not listen: the worker was down (hazwatch), or the broker out of reach (broker)';

CREATE TABLE gap_watch (
    shard    text PRIMARY KEY,
    alive_at timestamptz NOT NULL
);
COMMENT ON TABLE gap_watch IS 'when a worker last looked for gaps';

CREATE TABLE found_afterwards (
    occurrence uuid PRIMARY KEY,
    enterprise int NOT NULL,
    found_at   timestamptz NOT NULL,
    notice     uuid
);
CREATE INDEX found_afterwards_untold ON found_afterwards (enterprise) WHERE notice IS NULL;
COMMENT ON TABLE found_afterwards IS
    'alarms that late data held 事后发现, and the notice that told of them; NULL: not told yet';
