-- write
-- $1 id, $2 e-mail, $3 name, $4 password hash, $5 event, $6 event type, $7 event body,
-- $8 traceparent.
WITH added AS (
    INSERT INTO users (id, email, name, password_hash)
    VALUES ($1, $2, $3, $4)
    RETURNING *
), announced AS (
    INSERT INTO outbox (id, type, key, body, traceparent)
    SELECT $5, $6, added.id::text, $7, $8
    FROM added
)
SELECT id, email, name, roles AS role_bits, status, version, created_at, updated_at, tenant
FROM added
