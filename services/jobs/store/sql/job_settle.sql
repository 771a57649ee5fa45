-- write
-- An attempt that did not succeed: back into the queue, or dead.
WITH settled AS (
    UPDATE jobs
    SET state = $3::text, attempts = attempts - $4::bigint,
        run_at = now() + $5::bigint * interval '1 millisecond',
        dispatch_at = now() + $5::bigint * interval '1 millisecond', dispatches = 0,
        lease_until = NULL, working = false,
        error_code = coalesce($6::text, error_code), error_detail = coalesce($7::text, error_detail),
        finished_at = CASE WHEN $3 = 'dead' THEN now() END, updated_at = now()
    WHERE id = $1::uuid AND fence = $2::bigint AND state = 'running'
    RETURNING id
)
SELECT count(*) FROM settled
