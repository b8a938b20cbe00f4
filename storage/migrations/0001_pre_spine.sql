-- The spine: registry, samples, ledger, alarms, outbox, actions, notices, leases, people.

CREATE TABLE site_version (
    version   int         PRIMARY KEY,
    loaded_at timestamptz NOT NULL,
    loaded_by text        NOT NULL,
    digest    text        NOT NULL,
    content   jsonb       NOT NULL
);

CREATE TABLE node (
    id         int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent     int  REFERENCES node,
    kind       text NOT NULL,
    code       text NOT NULL,
    name       text NOT NULL,
    enterprise int  REFERENCES node,
    lon        float8,
    lat        float8,
    detail     jsonb NOT NULL DEFAULT '{}',
    removed_at timestamptz,
    UNIQUE NULLS NOT DISTINCT (parent, code)
);
COMMENT ON TABLE node IS
    'typed tree, province to equipment; enterprise: the enterprise node it lies under, or is';

CREATE TABLE gateway (
    id         int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise int  NOT NULL REFERENCES node,
    code       text NOT NULL,
    removed_at timestamptz,
    UNIQUE (enterprise, code)
);

CREATE TABLE tag (
    id         int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version    int  NOT NULL,
    enterprise int  NOT NULL REFERENCES node,
    source     int  NOT NULL REFERENCES node,
    name       text NOT NULL,
    kind       text NOT NULL,
    unit       text NOT NULL,
    spec       jsonb NOT NULL,
    since      timestamptz NOT NULL,
    removed_at timestamptz
);
CREATE UNIQUE INDEX tag_present ON tag (enterprise, name) WHERE removed_at IS NULL;
COMMENT ON COLUMN tag.spec IS
    'the tag entry of the site file; a change of unit or kind retires the row and begins a new one';

CREATE TABLE tag_latest (
    tag_id      int PRIMARY KEY,
    time        timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    value       float8      NOT NULL,
    quality     int2        NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE gateway_ledger (
    gateway     int         NOT NULL REFERENCES gateway,
    boot        text        NOT NULL,
    seen        int8multirange NOT NULL,
    first_seq   int8        NOT NULL,
    oldest      int8        NOT NULL,
    newest_time timestamptz,
    offsets     jsonb       NOT NULL DEFAULT '[]',
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (gateway, boot)
);
COMMENT ON COLUMN gateway_ledger.seen IS
    'seq numbers that are durable here: stored, duplicate or quarantined';
COMMENT ON COLUMN gateway_ledger.offsets IS
    '[[from_seq, to_seq, offset_us], …]: what was added to the times of a wrong clock';

CREATE TABLE gateway_state (
    gateway     int PRIMARY KEY REFERENCES gateway,
    online      bool,
    boot        text,
    said_at     timestamptz,
    received_at timestamptz NOT NULL
);

CREATE TABLE ingest_count (
    gateway              int  PRIMARY KEY,
    messages_received    int8 NOT NULL DEFAULT 0,
    messages_redelivered int8 NOT NULL DEFAULT 0,
    messages_decoded     int8 NOT NULL DEFAULT 0,
    messages_repeated    int8 NOT NULL DEFAULT 0,
    messages_quarantined int8 NOT NULL DEFAULT 0,
    values_decoded       int8 NOT NULL DEFAULT 0,
    values_stored        int8 NOT NULL DEFAULT 0,
    values_duplicate     int8 NOT NULL DEFAULT 0,
    values_conflict      int8 NOT NULL DEFAULT 0,
    values_quarantined   int8 NOT NULL DEFAULT 0
);
COMMENT ON TABLE ingest_count IS
    'what became of every message and value, committed with them; gateway 0 = none of ours';

CREATE TABLE quarantine (
    id          uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    topic       text NOT NULL,
    gateway     int,
    enterprise  int,
    reason      text NOT NULL,
    detail      text NOT NULL,
    tag         text,
    time        text,
    payload     bytea NOT NULL,
    size        int   NOT NULL
);
CREATE INDEX quarantine_received ON quarantine (received_at);

CREATE TABLE dirty_range (
    tag_id    int         NOT NULL,
    time_from timestamptz NOT NULL,
    time_to   timestamptz NOT NULL,
    marked_at timestamptz NOT NULL,
    PRIMARY KEY (tag_id, time_from)
);
COMMENT ON TABLE dirty_range IS
    'history that has to be judged again, in at most 100 ranges of a tag, an hour or more apart';

CREATE TABLE plant_alarm (
    gateway     int         NOT NULL REFERENCES gateway,
    id          text        NOT NULL,
    time        timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    tag         text        NOT NULL,
    kind        text        NOT NULL,
    active      bool        NOT NULL,
    body        jsonb       NOT NULL,
    PRIMARY KEY (gateway, id, time)
);
COMMENT ON TABLE plant_alarm IS
    'alarms that a plant itself reported on its alarm topic, as they came';

CREATE TABLE alarm (
    id              uuid PRIMARY KEY,
    lane            int2 NOT NULL,
    kind            text NOT NULL,
    tag_id          int,
    node            int  NOT NULL REFERENCES node,
    enterprise      int  NOT NULL REFERENCES node,
    priority        text NOT NULL,
    state           text NOT NULL,
    onset           timestamptz NOT NULL,
    effective       timestamptz NOT NULL,
    ended           timestamptz,
    closed          timestamptz,
    value           float8 NOT NULL,
    limit_value     float8 NOT NULL,
    worst           float8 NOT NULL,
    acknowledged_by text,
    acknowledged_at timestamptz,
    comment         text,
    reason          text NOT NULL DEFAULT '',
    text            text NOT NULL DEFAULT '',
    onset_last      timestamptz,
    n               int  NOT NULL
);
CREATE INDEX alarm_open ON alarm (enterprise) WHERE state <> 'NORM';
CREATE INDEX alarm_onset ON alarm (onset, id);
CREATE INDEX alarm_tag ON alarm (tag_id, onset);

CREATE TABLE alarm_event (
    occurrence uuid NOT NULL,
    n          int  NOT NULL,
    at         timestamptz NOT NULL,
    event      text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    by         text,
    comment    text,
    body       jsonb NOT NULL,
    PRIMARY KEY (occurrence, n)
);
COMMENT ON TABLE alarm_event IS
    'append-only journal of every transition; body is the alarm after it';

CREATE TABLE outbox (
    seq        int8 PRIMARY KEY,
    id         uuid NOT NULL UNIQUE,
    type       text NOT NULL,
    at         timestamptz NOT NULL,
    enterprise int,
    node       int,
    tag_id     int,
    body       jsonb NOT NULL
);
CREATE INDEX outbox_at ON outbox (at);

CREATE TABLE operator_action (
    id           uuid PRIMARY KEY,
    key          text NOT NULL,
    by           text NOT NULL,
    verb         text NOT NULL,
    target       uuid NOT NULL,
    enterprise   int  NOT NULL,
    comment      text,
    requested_at timestamptz NOT NULL,
    done_at      timestamptz,
    result       jsonb,
    UNIQUE (by, key)
);
CREATE INDEX operator_action_open ON operator_action (requested_at) WHERE done_at IS NULL;

CREATE TABLE notice (
    id         uuid PRIMARY KEY,
    occurrence uuid NOT NULL,
    channel    text NOT NULL,
    recipient  text NOT NULL,
    body       jsonb NOT NULL,
    created    timestamptz NOT NULL,
    due        timestamptz NOT NULL,
    attempts   int  NOT NULL DEFAULT 0,
    delivered  timestamptz,
    failed     timestamptz,
    error      text
);
CREATE INDEX notice_open ON notice (due) WHERE delivered IS NULL AND failed IS NULL;

CREATE TABLE lease (
    shard      text PRIMARY KEY,
    holder     text NOT NULL,
    epoch      int8 NOT NULL,
    renewed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE engine_snapshot (
    shard    text PRIMARY KEY,
    stamp    timestamptz NOT NULL,
    taken_at timestamptz NOT NULL,
    body     bytea NOT NULL
);
COMMENT ON COLUMN engine_snapshot.stamp IS 'receive stamp of the last frame that is inside';

CREATE TABLE person (
    name       text PRIMARY KEY,
    password   text NOT NULL,
    created    timestamptz NOT NULL,
    removed_at timestamptz
);

CREATE TABLE role_grant (
    person text NOT NULL REFERENCES person,
    role   text NOT NULL CHECK (role IN ('operator', 'enterprise')),
    node   int  NOT NULL REFERENCES node,
    PRIMARY KEY (person, role, node)
);
COMMENT ON TABLE role_grant IS 'what a person may see and do, and below which node of the tree';

CREATE TABLE session (
    token   bytea PRIMARY KEY,
    person  text NOT NULL REFERENCES person,
    created timestamptz NOT NULL,
    expires timestamptz NOT NULL
);
COMMENT ON COLUMN session.token IS 'SHA-256 of the token; the token itself is kept nowhere';
