-- write
-- $1 hash. No row: not a key, or not any more. Writes once a day and key.
WITH found AS MATERIALIZED (
    SELECT k.id, k.user_id, u.roles, u.tenant, k.scopes, k.expires_at, k.last_used_on
    FROM api_keys k
    JOIN users u ON u.id = k.user_id
    WHERE k.hash = $1
      AND k.revoked_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > now())
      AND u.status = 'active'
), used AS (
    UPDATE api_keys k
    SET last_used_on = (now() AT TIME ZONE 'UTC')::date
    FROM found f
    WHERE k.id = f.id AND f.last_used_on IS DISTINCT FROM (now() AT TIME ZONE 'UTC')::date
)
SELECT id, user_id, roles, scopes, expires_at, tenant
FROM found
