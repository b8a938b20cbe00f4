CREATE TABLE source_risk (
    source     int  PRIMARY KEY REFERENCES node,
    enterprise int  NOT NULL REFERENCES node,
    at         timestamptz NOT NULL,
    colour     int2 NOT NULL,
    unknown    bool NOT NULL,
    score      float8 NOT NULL,
    maybe_test bool NOT NULL,
    floors     jsonb NOT NULL,
    reasons    jsonb NOT NULL,
    version    text NOT NULL
);
CREATE INDEX source_risk_enterprise ON source_risk (enterprise);
COMMENT ON TABLE source_risk IS 'dynamic risk 动态风险 of each hazard source as it was last told; colour 0 blue to 3 red';
COMMENT ON COLUMN source_risk.floors IS '[{"floor": "F4", "colour": 2}]: rules that set the lowest colour';
COMMENT ON COLUMN source_risk.reasons IS '[{"part": "A" or null, "points": 12.3, "alarm": uuid or null}]: rows that add up to the score';

CREATE TABLE warning_case (
    id          uuid PRIMARY KEY,
    source      int  NOT NULL REFERENCES node,
    number      int  NOT NULL,
    enterprise  int  NOT NULL REFERENCES node,
    state       text NOT NULL,
    colour      int2 NOT NULL,
    worst       int2 NOT NULL,
    opened      timestamptz NOT NULL,
    seen        timestamptz NOT NULL,
    unknown     bool NOT NULL,
    n           int  NOT NULL,
    left_blue   int  NOT NULL,
    risen       int  NOT NULL,
    receipts    jsonb NOT NULL,
    alarms      uuid[] NOT NULL,
    released    timestamptz,
    released_by text,
    closed      timestamptz,
    UNIQUE (source, number)
);
CREATE INDEX warning_case_open ON warning_case (enterprise) WHERE closed IS NULL;
CREATE INDEX warning_case_opened ON warning_case (opened, id);
COMMENT ON TABLE warning_case IS 'warning cases 预警: one for each time that a source leaves blue';
COMMENT ON COLUMN warning_case.receipts IS '[{"level": 1, "by", "at", "colour": 3, "n", "comment"}]: the newest 签收 of each level';

CREATE TABLE case_event (
    case_id    uuid NOT NULL,
    n          int  NOT NULL,
    at         timestamptz NOT NULL,
    event      text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    before     int2 NOT NULL,
    by         text,
    comment    text,
    body       jsonb NOT NULL,
    PRIMARY KEY (case_id, n)
);
COMMENT ON TABLE case_event IS
    'append-only journal of every transition of a case; before is the colour before it, body the case after it';

CREATE TABLE escalation_step (
    case_id      uuid NOT NULL,
    no           int  NOT NULL,
    n            int  NOT NULL,
    colour       int2 NOT NULL,
    role         text NOT NULL,
    level        int2 NOT NULL,
    after_s      float8 NOT NULL,
    due          timestamptz NOT NULL,
    left_s       float8 NOT NULL,
    mark_at      timestamptz NOT NULL,
    mark_elapsed float8 NOT NULL,
    mark_boot    text NOT NULL,
    outcome      text NOT NULL,
    done         timestamptz,
    by           text,
    clock        int2,
    since        int,
    unnamed      bool NOT NULL,
    PRIMARY KEY (case_id, no)
);
COMMENT ON TABLE escalation_step IS
    'rungs of the ladder 升级阶梯: left_s seconds were still to go when the monotonic clock of run mark_boot said mark_elapsed';

ALTER TABLE notice ADD COLUMN step int, ADD COLUMN withdrawn timestamptz;
COMMENT ON COLUMN notice.step IS 'rung of the case whose id is occurrence; NULL: the notice is of an alarm';
COMMENT ON COLUMN notice.withdrawn IS 'nobody needed it any more when its turn came';
DROP INDEX notice_open;
CREATE INDEX notice_open ON notice (due)
    WHERE delivered IS NULL AND failed IS NULL AND withdrawn IS NULL;
CREATE INDEX notice_step ON notice (occurrence, step) WHERE step IS NOT NULL;

ALTER TABLE operator_action ADD COLUMN level int2;
COMMENT ON COLUMN operator_action.level IS 'the level that the person speaks for in a warning: 0 enterprise, 1 park, 2 county, 3 city, 4 province, 5 fire';
