CREATE TABLE pca_model (
    node        int  NOT NULL REFERENCES node,
    version     int  NOT NULL,
    enterprise  int  NOT NULL REFERENCES node,
    learnt_from timestamptz NOT NULL,
    learnt_to   timestamptz NOT NULL,
    learnt_at   timestamptz NOT NULL,
    learnt_by   text NOT NULL,
    members     text[] NOT NULL,
    tags        int[]  NOT NULL,
    kept        text[] NOT NULL,
    scans       int    NOT NULL,
    independent float8 NOT NULL,
    explained   float8[] NOT NULL,
    alarmed     float8 NOT NULL,
    alarms      int    NOT NULL,
    digest      text   NOT NULL,
    body        json   NOT NULL,
    PRIMARY KEY (node, version)
);
COMMENT ON TABLE pca_model IS 'models that were learnt of a group (kind pca); append-only';
COMMENT ON COLUMN pca_model.members IS 'of the group when it was learnt; tags: their ids, in the same order; kept: those in the model';
COMMENT ON COLUMN pca_model.scans IS 'whole scans learnt from; independent: how many independent ones they are worth';
COMMENT ON COLUMN pca_model.explained IS 'share of the variance, of each component';
COMMENT ON COLUMN pca_model.alarmed IS 'share of the scans learnt from that would have been in alarm';
COMMENT ON COLUMN pca_model.alarms IS 'alarms of members and group in the period that were learnt all the same';
COMMENT ON COLUMN pca_model.body IS 'domain.pca.PcaModel as written, json and not jsonb: byte for byte; digest: SHA-256 of it';

CREATE TABLE pca_activation (
    no      int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node    int  NOT NULL REFERENCES node,
    version int,
    at      timestamptz NOT NULL,
    by      text NOT NULL,
    reason  text NOT NULL,
    FOREIGN KEY (node, version) REFERENCES pca_model (node, version)
);
CREATE INDEX pca_activation_newest ON pca_activation (node, no DESC);
COMMENT ON TABLE pca_activation IS
    'which model of a group people put in force, the newest row of a node counts; append-only';
COMMENT ON COLUMN pca_activation.version IS 'NULL: none from now on';

CREATE TABLE pca_now (
    node       int  PRIMARY KEY REFERENCES node,
    enterprise int  NOT NULL REFERENCES node,
    at         timestamptz NOT NULL,
    body       jsonb NOT NULL
);
COMMENT ON TABLE pca_now IS 'what the worker last told of each group of kind pca: see domain/pca_record.py';
