-- write
-- $1 id, $2 user, $3 hash, $4 how it begins, $5 name, $6 scopes, $7 when it expires or null, $8 how
-- many a user may have. No row: the user has as many (or two requests at a time one more).
INSERT INTO api_keys (id, user_id, hash, start, name, scopes, expires_at)
SELECT $1, u.id, $3, $4, $5, $6, $7
FROM users u
WHERE u.id = $2 AND u.status = 'active'
  AND (SELECT count(*) FROM api_keys k WHERE k.user_id = $2 AND k.revoked_at IS NULL) < $8
RETURNING id, name, start, scopes AS scope_names, created_at, expires_at, last_used_on::text AS last_used_on
