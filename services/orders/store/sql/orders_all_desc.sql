-- $1 status or null, $2 and $3 the last row before this page, $4 rows.
SELECT id, user_id, status, currency, total, version, created_at, updated_at
FROM orders
WHERE ($1::text IS NULL OR status = $1)
  AND (created_at, id) < ($2::timestamptz, $3::uuid)
ORDER BY created_at DESC, id DESC
LIMIT $4
