-- write
-- What nobody can use any more, some at a time.
WITH old AS (
    SELECT id FROM sessions WHERE expires_at < now() - interval '1 day' LIMIT 1000
), forgotten AS (
    DELETE FROM sign_in_failures WHERE last_at < now() - interval '2 days'
), old_keys AS (
    SELECT id FROM api_keys WHERE revoked_at < now() - interval '30 days' LIMIT 1000
), keys AS (
    DELETE FROM api_keys k USING old_keys WHERE k.id = old_keys.id
)
DELETE FROM sessions s USING old WHERE s.id = old.id
