CREATE TABLE management_input (
    id          uuid PRIMARY KEY,
    key         text NOT NULL,
    kind        text NOT NULL,
    enterprise  int  NOT NULL REFERENCES node,
    node        int  NOT NULL REFERENCES node,
    tag         int  REFERENCES tag,
    since       timestamptz NOT NULL,
    until       timestamptz,
    value       jsonb NOT NULL,
    who         text NOT NULL,
    second      text,
    recorded_at timestamptz NOT NULL,
    revoked_at  timestamptz,
    revoked_by  text,
    reason      text NOT NULL DEFAULT '',
    UNIQUE (who, key)
);
CREATE INDEX management_input_listed ON management_input (recorded_at, id);
CREATE INDEX management_input_newest ON management_input (kind, node, (value ->> 'role'), until DESC);
COMMENT ON TABLE management_input IS
    'dated facts that people state: commitment, duty, hidden hazard, special work, mode, permit, report, colour, offline report; append-only, revoked once';
COMMENT ON COLUMN management_input.key IS 'chosen by the caller: repeated with the same key it is recorded once';

CREATE TABLE management_input_version (
    version bigint NOT NULL
);
INSERT INTO management_input_version VALUES (0);
COMMENT ON TABLE management_input_version IS 'one row; rises in the transaction of every change of management_input, so that the worker sees each';
