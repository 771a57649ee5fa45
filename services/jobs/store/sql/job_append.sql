-- write
-- A part of the result, only by the holder of the lease. Writing a part again (its first answer
-- was lost) changes nothing.
WITH held AS (
    UPDATE jobs SET progress = greatest(progress, $5::bigint), updated_at = now()
    WHERE id = $1::uuid AND fence = $2::bigint AND state = 'running'
    RETURNING id, fence
)
INSERT INTO job_results (job_id, fence, chunk, bytes)
SELECT id, fence, $3::bigint, $4::bytea FROM held
ON CONFLICT (job_id, fence, chunk) DO UPDATE SET bytes = excluded.bytes
RETURNING chunk
