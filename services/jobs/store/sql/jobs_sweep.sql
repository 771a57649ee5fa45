-- write
-- Old successes and their results. The dead stay until somebody has looked at them.
DELETE FROM jobs
WHERE id IN (
    SELECT id FROM jobs
    WHERE state = 'succeeded' AND finished_at < now() - $1::bigint * interval '1 millisecond'
    ORDER BY finished_at
    LIMIT 500
    FOR UPDATE SKIP LOCKED
)
