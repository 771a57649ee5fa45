-- Of a key only its SHA-256 is kept (kit/apikey/apikey.h says why that is enough).
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users,
    hash         bytea NOT NULL UNIQUE,
    start        text NOT NULL,
    name         text NOT NULL,
    scopes       text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_on date,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_by_user ON api_keys (user_id, created_at) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
