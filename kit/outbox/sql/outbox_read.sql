-- The next rows, but only for the session that holds the relay's lock. The lock is taken in
-- the statement that reads, so that a connection made anew cannot read without it; taking it
-- again in the same session only counts up. Always at least one row: `mine` and, when there
-- is nothing to send, a NULL for the rest.
WITH held AS MATERIALIZED (SELECT pg_try_advisory_lock($1::bigint) AS mine)
SELECT held.mine, o.seq, o.id, o.type, o.key, o.body, o.traceparent, o.created_at
FROM held
LEFT JOIN LATERAL (
    SELECT seq, id, type, key, body, traceparent, created_at
    FROM outbox
    WHERE published_at IS NULL AND held.mine
    ORDER BY seq
    LIMIT $2::bigint
) o ON true
ORDER BY o.seq
