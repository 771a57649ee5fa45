-- write
-- $1 user, $2 method, $3 key, $4 hash of the request. Violates idempotency_in_flight while
-- another transaction has the key, and idempotency_used when one has used it.
INSERT INTO idempotency_keys (user_id, method, key, request, free)
VALUES ($1::uuid, $2::text, $3::text, $4::bigint,
        pg_try_advisory_xact_lock(hashtextextended($1::text || $2 || $3, 4)))
