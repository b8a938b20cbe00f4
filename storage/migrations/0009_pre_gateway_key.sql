CREATE TABLE gateway_key (
    id         text PRIMARY KEY,
    gateway    int  NOT NULL REFERENCES gateway,
    enterprise int  NOT NULL REFERENCES node,
    digest     bytea NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    expires_at timestamptz,
    used_at    timestamptz,
    revoked_at timestamptz,
    revoked_by text
);
CREATE INDEX gateway_key_gateway ON gateway_key (gateway);
COMMENT ON TABLE gateway_key IS
    'keys by which gateways send over HTTP; rows stay, a key is revoked once';
COMMENT ON COLUMN gateway_key.digest IS 'SHA-256 of the key; the key itself is kept nowhere';
COMMENT ON COLUMN gateway_key.used_at IS 'last use, no more exactly than an hour';
