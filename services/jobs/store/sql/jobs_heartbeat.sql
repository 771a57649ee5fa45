-- write
-- The ones that are still ours come back.
UPDATE jobs
SET lease_until = now() + $4::bigint * interval '1 millisecond',
    progress = greatest(jobs.progress, ours.progress), updated_at = now()
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS ours (id, fence, progress)
WHERE jobs.id = ours.id AND jobs.fence = ours.fence AND jobs.state = 'running'
RETURNING jobs.id, jobs.fence
