SELECT id, kind, state, progress, attempts, created_at, run_at, finished_at, error_code, error_detail
FROM jobs
WHERE owner = $1::uuid
  AND (created_at, id) < ($2::timestamptz, $3::uuid)
  AND ($4::text IS NULL OR state = $4)
  AND ($5::text IS NULL OR kind = $5)
ORDER BY created_at DESC, id DESC
LIMIT $6::bigint
