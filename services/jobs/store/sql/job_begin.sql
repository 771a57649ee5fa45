-- write
UPDATE jobs SET working = true, updated_at = now()
WHERE id = $1::uuid AND fence = $2::bigint AND state = 'running'
