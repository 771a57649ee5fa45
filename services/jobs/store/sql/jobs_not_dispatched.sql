-- write
-- Their messages did not get into Kafka.
UPDATE jobs SET dispatch_at = now() + interval '1 second', dispatches = 0
WHERE id = ANY ($1::uuid[]) AND state = 'queued'
