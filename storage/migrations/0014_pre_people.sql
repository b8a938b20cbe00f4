-- Who is told: a person with several channels, and every attempt to reach him.

ALTER TABLE notice ADD COLUMN person text, ADD COLUMN ways jsonb NOT NULL DEFAULT '[]', ADD COLUMN rank int NOT NULL DEFAULT 0;
COMMENT ON COLUMN notice.person IS 'code of whom it is for; NULL: the address of a role';
COMMENT ON COLUMN notice.ways IS '[[channel, recipient], …] in the order in which they are tried; []: channel and recipient alone';
COMMENT ON COLUMN notice.rank IS 'which of the ways the newest attempt took, from 0';

CREATE TABLE notice_attempt (
    notice    uuid NOT NULL REFERENCES notice ON DELETE CASCADE,
    at        timestamptz NOT NULL,
    outcome   text NOT NULL,
    channel   text NOT NULL,
    recipient text NOT NULL,
    rank      int  NOT NULL,
    error     text,
    PRIMARY KEY (notice, at, outcome)
);
COMMENT ON TABLE notice_attempt IS
    'what became of each look at a notice: delivered, failed, given up, withdrawn, held (quiet hours), handed over (shift change)';
