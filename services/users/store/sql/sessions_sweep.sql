-- write
-- What nobody can use any more, some at a time.
WITH old AS (
    SELECT id FROM sessions WHERE expires_at < now() - interval '1 day' LIMIT 1000
), forgotten AS (
    DELETE FROM sign_in_failures WHERE last_at < now() - interval '2 days'
)
DELETE FROM sessions s USING old WHERE s.id = old.id
