-- $1 seconds an access token lives: who was revoked before that has none left. $2 seconds that
-- the revocation of an API key is told.
SELECT id, until
FROM (
    SELECT id, revoked_at + $1 * interval '1 second' AS until
    FROM sessions
    WHERE revoked_at > now() - $1 * interval '1 second'
    UNION ALL
    SELECT id, revoked_at + $2 * interval '1 second'
    FROM api_keys
    WHERE revoked_at > now() - $2 * interval '1 second'
) AS revoked
ORDER BY until DESC
LIMIT 10000
