COMMENT ON COLUMN operator_action.detail IS 'what else the verb needs, by name: until and second of shelve, permit of remove_from_service, evidence of feedback, kind of close';

ALTER TABLE warning_case
    ADD COLUMN loop jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN closing text,
    ADD COLUMN closed_by text,
    ADD COLUMN second_by text,
    ADD COLUMN reviewed_by text;
COMMENT ON COLUMN warning_case.loop IS
    'handling, feedback, review and closing since the last rise: domain.cases.Loop; {} in cases of an earlier release';
COMMENT ON COLUMN warning_case.closing IS 'what it turned out to be 销警类型: real, false_alarm, maintenance';
COMMENT ON COLUMN warning_case.closed_by IS 'who closed it; second_by: who else said so, where two persons have to';

ALTER TABLE escalation_step ADD COLUMN duty text NOT NULL DEFAULT 'receive';
COMMENT ON COLUMN escalation_step.duty IS 'what the rung waits for: receive 签收, feedback 反馈, close 销警, explain';

CREATE TABLE case_feedback (
    case_id uuid NOT NULL,
    n       int  NOT NULL,
    at      timestamptz NOT NULL,
    by      text NOT NULL,
    level   int2 NOT NULL,
    colour  int2 NOT NULL,
    text    text NOT NULL,
    reading text NOT NULL,
    person  text NOT NULL,
    files   jsonb NOT NULL,
    PRIMARY KEY (case_id, n)
);
COMMENT ON TABLE case_feedback IS '处置反馈 of warning cases, each once; n: the transition of the case that it was';
COMMENT ON COLUMN case_feedback.files IS '[{"id", "name", "type", "size", "sha256"}]: of case_file';

CREATE TABLE case_file (
    id         uuid PRIMARY KEY,
    case_id    uuid NOT NULL,
    enterprise int  NOT NULL REFERENCES node,
    name       text NOT NULL,
    type       text NOT NULL,
    size       int  NOT NULL,
    sha256     text NOT NULL,
    content    bytea NOT NULL,
    by         text NOT NULL,
    at         timestamptz NOT NULL
);
ALTER TABLE case_file ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX case_file_case ON case_file (case_id, at);
COMMENT ON TABLE case_file IS 'photographs and files that feedback names; one that no feedback names within a day goes';
