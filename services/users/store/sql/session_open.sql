-- write
-- $1 session, $2 user, $3 hash of the first refresh token, $4 seconds it may live, $5 hash of
-- the address whose failures are forgiven, $6 key that it is bound to or null.
WITH opened AS (
    INSERT INTO sessions (id, user_id, expires_at, jkt)
    VALUES ($1, $2, now() + $4 * interval '1 second', $6)
    RETURNING id
), forgiven AS (
    DELETE FROM sign_in_failures WHERE address_hash = $5
)
INSERT INTO refresh_tokens (hash, session_id, generation)
SELECT $3, opened.id, 1
FROM opened
