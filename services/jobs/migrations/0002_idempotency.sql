-- The work of one Idempotency-Key, done once: see kit/idempotency/idempotency.h.
CREATE TABLE idempotency_keys (
    user_id    uuid NOT NULL,
    method     text NOT NULL,
    key        text NOT NULL,
    request    bigint NOT NULL, -- its hash
    reply      text,            -- JSON; null only inside of the transaction that does the work
    free       boolean NOT NULL CONSTRAINT idempotency_in_flight CHECK (free),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_used PRIMARY KEY (user_id, method, key)
);
CREATE INDEX idempotency_by_age ON idempotency_keys (created_at);
