-- write
-- Due jobs, each for one dispatcher. A message may get lost, so a job that is still queued after
-- a while is sent again, after longer and longer whiles: workers may just be busy.
UPDATE jobs
SET dispatch_at = now() + $1::bigint * (1 << least(dispatches, 6)::int) * interval '1 millisecond',
    dispatches = dispatches + 1
FROM (
    SELECT id FROM jobs
    WHERE state = 'queued' AND dispatch_at <= now()
    ORDER BY dispatch_at
    LIMIT $2::bigint
    FOR UPDATE SKIP LOCKED
) due
WHERE jobs.id = due.id
RETURNING jobs.id, jobs.kind, jobs.traceparent
