-- $1 e-mail, $2 hash of it. Always one row; id is null when there is no such user.
SELECT u.id, u.password_hash, u.roles, u.status,
       coalesce(f.failures, 0) AS failures, f.last_at, u.tenant
FROM (SELECT 1) AS one
LEFT JOIN users u ON lower(u.email) = lower($1) AND u.status <> 'deleted'
LEFT JOIN sign_in_failures f ON f.address_hash = $2
