-- write
-- $1 user. The row stays for what refers to it, without anything personal.
WITH gone AS (
    UPDATE users
    SET status = 'deleted', email = 'deleted-' || id || '@invalid', name = 'deleted',
        password_hash = '', version = version + 1, updated_at = now()
    WHERE id = $1 AND status <> 'deleted'
    RETURNING id
), ended AS (
    UPDATE sessions s
    SET revoked_at = now()
    FROM gone
    WHERE s.user_id = gone.id AND s.revoked_at IS NULL
    RETURNING s.id
), keys AS (
    UPDATE api_keys k
    SET revoked_at = now()
    FROM gone
    WHERE k.user_id = gone.id AND k.revoked_at IS NULL
    RETURNING k.id
), void AS (
    SELECT id FROM ended UNION ALL SELECT id FROM keys
)
SELECT (SELECT array_to_string(array_agg(void.id), ' ') FROM void) AS ended
FROM gone
