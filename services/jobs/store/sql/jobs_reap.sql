-- write
-- Jobs whose lease is over go back into the queue. A worker has died when none of its leases is
-- left. The job that it alone was working on is blamed, and dead after $2 of these; when there
-- were several, the culprit is not known, and all become suspects, to run alone from now on. A
-- single lease that is over, of a worker that lives, has got lost on the way to it: nobody's
-- fault, but it is left alone for a lease's length first.
WITH late AS (
    SELECT id, worker, lease_until FROM jobs
    WHERE state = 'running' AND lease_until < now()
    ORDER BY lease_until
    LIMIT 500
    FOR UPDATE SKIP LOCKED
), company AS (
    SELECT worker, count(*) FILTER (WHERE working) AS working, max(lease_until) < now() AS died
    FROM jobs
    WHERE state = 'running' AND worker IN (SELECT worker FROM late)
    GROUP BY worker
), verdict AS (
    SELECT late.id, died, died AND working = 1 AS blamed
    FROM late JOIN company USING (worker)
    WHERE died OR late.lease_until < now() - $1::bigint * interval '1 millisecond'
), delays AS (
    SELECT jobs.id, died AND jobs.working AS suspect, blamed AND jobs.working AS blamed,
           CASE WHEN blamed AND jobs.working THEN interval '1 second' * (1 << least(crashes, 6)::int)
                ELSE interval '0' END AS delay
    FROM verdict JOIN jobs USING (id)
)
UPDATE jobs
SET state = CASE WHEN blamed AND crashes + 1 >= $2::bigint THEN 'dead' ELSE 'queued' END,
    crashes = crashes + CASE WHEN blamed THEN 1 ELSE 0 END,
    attempts = attempts - CASE WHEN blamed THEN 0 ELSE 1 END,
    suspect = jobs.suspect OR delays.suspect,
    run_at = now() + delay, dispatch_at = now() + delay, dispatches = 0,
    lease_until = NULL, working = false,
    error_code = CASE WHEN NOT blamed THEN error_code
                      WHEN crashes + 1 >= $2 THEN 'jobs.quarantined' ELSE 'jobs.worker_died' END,
    error_detail = CASE WHEN blamed THEN 'The worker died while it did this job'
                        ELSE error_detail END,
    finished_at = CASE WHEN blamed AND crashes + 1 >= $2 THEN now() END,
    updated_at = now()
FROM delays
WHERE jobs.id = delays.id
RETURNING jobs.id, jobs.kind, jobs.state, jobs.crashes
