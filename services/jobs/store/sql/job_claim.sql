-- write
-- Compare and set: of all who try, one gets the row. A suspect is not working yet: it waits
-- until its worker has nothing else to do (job_begin).
UPDATE jobs
SET state = 'running', worker = $2::text, fence = fence + 1, attempts = attempts + 1,
    lease_until = now() + $3::bigint * interval '1 millisecond', working = NOT suspect,
    progress = 0, updated_at = now()
WHERE id = $1::uuid AND state = 'queued' AND run_at <= now()
RETURNING kind, payload, fence, attempts, suspect, traceparent, created_at, run_at
