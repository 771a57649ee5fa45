-- $1 seconds an access token lives: who was revoked before that has none left.
SELECT id, revoked_at
FROM sessions
WHERE revoked_at > now() - $1 * interval '1 second'
ORDER BY revoked_at DESC
LIMIT 10000
