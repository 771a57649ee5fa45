-- write
INSERT INTO jobs (id, kind, payload, owner, traceparent)
VALUES ($1::uuid, $2::text, $3::bytea, $4::uuid, $5::text)
RETURNING id, kind, state, progress, attempts, created_at, run_at, finished_at, error_code, error_detail
