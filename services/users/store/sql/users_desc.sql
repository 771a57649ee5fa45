-- $1 status or null, $2 e-mail or null, $3 and $4 the last row before this page, $5 rows.
SELECT id, email, name, roles AS role_bits, status, version, created_at, updated_at, tenant
FROM users
WHERE status <> 'deleted'
  AND ($1::text IS NULL OR status = $1)
  AND ($2::text IS NULL OR lower(email) = lower($2))
  AND (created_at, id) < ($3::timestamptz, $4::uuid)
ORDER BY created_at DESC, id DESC
LIMIT $5
