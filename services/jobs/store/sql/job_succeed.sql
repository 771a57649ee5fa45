-- write
WITH done AS (
    UPDATE jobs
    SET state = 'succeeded', progress = 100, finished_at = now(), lease_until = NULL,
        working = false, error_code = NULL, error_detail = NULL, updated_at = now()
    WHERE id = $1::uuid AND fence = $2::bigint AND state = 'running'
    RETURNING id, fence
), leftovers AS (
    DELETE FROM job_results r USING done WHERE r.job_id = done.id AND r.fence <> done.fence
)
SELECT count(*) FROM done
