CREATE TABLE import_file (
    id           int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise   int  NOT NULL REFERENCES node,
    digest       text NOT NULL,
    plan_digest  text NOT NULL,
    again        int  NOT NULL,
    name         text NOT NULL,
    size         int8 NOT NULL,
    plan         json NOT NULL,
    report       text,
    started_by   text NOT NULL,
    started_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    position     int8 NOT NULL,
    line         int8 NOT NULL,
    pieces       int  NOT NULL DEFAULT 0,
    share        float8 NOT NULL DEFAULT 0,
    rows         int8 NOT NULL DEFAULT 0,
    bad_rows     int8 NOT NULL DEFAULT 0,
    cells        int8 NOT NULL DEFAULT 0,
    empty        int8 NOT NULL DEFAULT 0,
    refused      int8 NOT NULL DEFAULT 0,
    stored       int8 NOT NULL DEFAULT 0,
    duplicate    int8 NOT NULL DEFAULT 0,
    conflict     int8 NOT NULL DEFAULT 0,
    problems     jsonb NOT NULL DEFAULT '{}',
    reported     int8 NOT NULL DEFAULT 0,
    time_from    timestamptz,
    time_to      timestamptz,
    UNIQUE (enterprise, digest, plan_digest, again)
);
COMMENT ON TABLE import_file IS
    'files of history that were imported, and how far; committed with the samples. cells = empty + refused + stored + duplicate + conflict';
COMMENT ON COLUMN import_file.digest IS 'SHA-256 of the file; plan_digest: of the map with which it was read';
COMMENT ON COLUMN import_file.again IS '0, and one more each time the same file was imported again on purpose';
COMMENT ON COLUMN import_file.position IS
    'all before it is stored: byte of the unpacked text, or row of a Parquet file; line: of the next row; share: how much of the file that is, 0 to 1';
COMMENT ON COLUMN import_file.pieces IS
    'how many pieces are stored; piece n was received at started_at + n microseconds';
COMMENT ON COLUMN import_file.problems IS 'what was not taken, by reason; reported: bytes of the report that tell of it';
