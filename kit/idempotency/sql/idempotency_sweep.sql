-- write
-- $1 milliseconds
DELETE FROM idempotency_keys
WHERE ctid = ANY (ARRAY(
    SELECT ctid
    FROM idempotency_keys
    WHERE created_at < now() - $1::bigint * interval '1 millisecond'
    LIMIT 1000
    FOR UPDATE SKIP LOCKED))
