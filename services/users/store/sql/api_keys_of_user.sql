-- $1 user, $2 one of them or null for all, $3 rows.
SELECT id, name, start, scopes AS scope_names, created_at, expires_at, last_used_on::text AS last_used_on
FROM api_keys
WHERE user_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id = $2)
ORDER BY created_at DESC, id DESC
LIMIT $3
