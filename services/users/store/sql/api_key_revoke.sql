-- write
-- $1 key, $2 user. No row: the user never had it. Revoked twice it was revoked the first time.
UPDATE api_keys
SET revoked_at = coalesce(revoked_at, now())
WHERE id = $1 AND user_id = $2
RETURNING id
