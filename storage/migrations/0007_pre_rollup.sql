-- Roll-ups of samples by minute and hour, and what is kept how long.
CREATE TABLE rollup_state (
    one          bool        PRIMARY KEY DEFAULT true CHECK (one),
    done         timestamptz NOT NULL,
    closed       timestamptz NOT NULL,
    upto         timestamptz NOT NULL,
    hours        timestamptz NOT NULL,
    raw_from     timestamptz NOT NULL,
    minutes_from timestamptz NOT NULL,
    hours_from   timestamptz NOT NULL
);
INSERT INTO rollup_state VALUES (
    true, '2000-01-01Z', '2000-01-01Z', '2000-01-01Z', '2000-01-01Z', '2000-01-01Z', '2000-01-01Z', '2000-01-01Z'
);
COMMENT ON TABLE rollup_state IS 'one row: how far roll-ups are, and what of the past has been dropped';
COMMENT ON COLUMN rollup_state.done IS 'samples received up to here are in parts or roll-ups';
COMMENT ON COLUMN rollup_state.closed IS
    'who stores samples received up to here leaves parts of them in rollup_late; done where no step is under way';
COMMENT ON COLUMN rollup_state.upto IS
    'of the step from done to closed, samples of times before this are in; 2000-01-01 where it has not begun';
COMMENT ON COLUMN rollup_state.hours IS 'hours before this one are in sample_minute and sample_hour';
COMMENT ON COLUMN rollup_state.raw_from IS 'samples before this have been dropped; minutes_from, hours_from: roll-ups';

CREATE TABLE rollup_part (
    tag_id   int4        NOT NULL,
    time     timestamptz NOT NULL,
    low      float8      NOT NULL,
    high     float8      NOT NULL,
    total    float8      NOT NULL,
    n        int8        NOT NULL,
    empty    int8        NOT NULL,
    first_at timestamptz NOT NULL,
    first    float8      NOT NULL,
    last_at  timestamptz NOT NULL,
    last     float8      NOT NULL,
    quality  int2        NOT NULL
);
COMMENT ON TABLE rollup_part IS 'parts of minutes whose hour is not in the roll-ups yet; several of one minute add up';
COMMENT ON COLUMN rollup_part.n IS 'samples with a finite value; empty: without. Where n is 0 low, high, first, last are NaN';
COMMENT ON COLUMN rollup_part.total IS 'sum of the values whose magnitude is below 1e290';

CREATE TABLE rollup_late (received_at timestamptz NOT NULL, LIKE rollup_part);
COMMENT ON TABLE rollup_late IS 'parts of minutes that came when their hour was in the roll-ups, or their step had begun';
COMMENT ON COLUMN rollup_late.received_at IS 'stamp of the samples where who stored them left it; 2000-01-01 of a step';

CREATE TABLE thinned_day (
    tag_id     int4        NOT NULL,
    day        timestamptz NOT NULL,
    stored     int8        NOT NULL,
    deleted    int8        NOT NULL,
    deadband   float8      NOT NULL,
    deviation  float8      NOT NULL,
    thinned_at timestamptz NOT NULL,
    PRIMARY KEY (tag_id, day)
);
COMMENT ON TABLE thinned_day IS
    'days of a tag that the archive filter has been through: stored samples then, and how many of them it deleted';
COMMENT ON COLUMN thinned_day.deviation IS 'linear interpolation of what is left is at most deadband + deviation off';
