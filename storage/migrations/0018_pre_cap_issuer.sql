-- Under which name and in which zone CAP messages have been issued, since when: each stays as it was.

CREATE TABLE cap_issuer (
    since timestamptz PRIMARY KEY,
    sender text NOT NULL,
    zone text NOT NULL
);
COMMENT ON TABLE cap_issuer IS 'a message has the newest row up to its time, or the first of all';
