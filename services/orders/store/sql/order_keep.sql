-- write
-- $1 user, $2 method, $3 key, $4 order. The answer to a request with a key: order as this
-- transaction has left it. If it has written none, the key is free again.
WITH reply AS (
    SELECT jsonb_strip_nulls(to_jsonb(w) || jsonb_build_object('items', (
        SELECT jsonb_agg(to_jsonb(i) ORDER BY i.position)
        FROM order_items i
        WHERE i.order_id = w.id
    )))::text AS body
    FROM orders w
    WHERE w.id = $4::uuid AND w.xmin = pg_current_xact_id()::xid
), kept AS (
    UPDATE idempotency_keys k
    SET reply = reply.body
    FROM reply
    WHERE k.user_id = $1::uuid AND k.method = $2::text AND k.key = $3::text
)
DELETE FROM idempotency_keys k
WHERE k.user_id = $1::uuid AND k.method = $2::text AND k.key = $3::text
  AND NOT EXISTS (SELECT FROM reply)
