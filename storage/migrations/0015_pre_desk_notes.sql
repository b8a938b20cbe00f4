-- What is said of desks and beside their alarms: an annotation, nothing else rests on it.

CREATE TABLE desk (
    enterprise int PRIMARY KEY REFERENCES node,
    at         timestamptz NOT NULL,
    flood      jsonb,
    suppressed int NOT NULL DEFAULT 0,
    chattering int NOT NULL DEFAULT 0
);
COMMENT ON TABLE desk IS 'what was last told of the desk of an enterprise';
COMMENT ON COLUMN desk.flood IS '报警泛滥: {"since", "heard", "folds"}: domain.desk_now.FloodNow; NULL: none';
COMMENT ON COLUMN desk.suppressed IS 'open occurrences that lie folded or are suppressed by design';
COMMENT ON COLUMN desk.chattering IS 'alarms that chatter 抖动报警';

CREATE TABLE desk_flood (
    enterprise int NOT NULL REFERENCES node,
    since      timestamptz NOT NULL,
    until      timestamptz,
    heard      int NOT NULL,
    PRIMARY KEY (enterprise, since)
);
COMMENT ON TABLE desk_flood IS 'every flood of a desk; until: NULL while it goes on; heard: alarms that sounded in it';

CREATE TABLE desk_note (
    occurrence uuid PRIMARY KEY,
    enterprise int  NOT NULL REFERENCES node,
    at         timestamptz NOT NULL,
    under      uuid,
    suppressed int  NOT NULL DEFAULT 0,
    most       int  NOT NULL DEFAULT 0,
    first_out  bool NOT NULL DEFAULT false,
    uncertain  bool NOT NULL DEFAULT false,
    repeats    int  NOT NULL DEFAULT 0
);
CREATE INDEX desk_note_first_out ON desk_note (at) WHERE first_out;
COMMENT ON TABLE desk_note IS 'what stands beside an occurrence, kept as it last was when that is closed: domain.desk_now.Note';
COMMENT ON COLUMN desk_note.under IS 'the occurrence under which it lies folded';
COMMENT ON COLUMN desk_note.most IS 'the most that lay suppressed under it at a time';
