-- $1 user, $2 status or null, $3 and $4 the last row before this page, $5 rows.
SELECT id, user_id, status, currency, total, version, created_at, updated_at
FROM orders
WHERE user_id = $1
  AND ($2::text IS NULL OR status = $2)
  AND (created_at, id) < ($3::timestamptz, $4::uuid)
ORDER BY created_at DESC, id DESC
LIMIT $5
