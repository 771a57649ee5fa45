SELECT id, kind, state, progress, attempts, created_at, run_at, finished_at, error_code, error_detail,
       owner
FROM jobs
WHERE id = $1::uuid
