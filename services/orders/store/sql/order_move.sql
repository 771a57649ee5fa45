-- write
-- $1 order, $2 its owner or null for anybody's, $3 statuses it may come from, $4 status it goes
-- to, $5 whether its pieces go back to the stock, $6 event, $7 event type, $8 event body,
-- $9 traceparent. No row: no such order for this caller; moved_to null: not from that status.
-- Pieces go back in the order of product ids, as placing takes them.
WITH target AS MATERIALIZED (
    SELECT id, status
    FROM orders
    WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2)
    FOR UPDATE
), moved AS (
    UPDATE orders o
    SET status = $4, version = o.version + 1, updated_at = now()
    FROM target t
    WHERE o.id = t.id AND t.status = ANY ($3::text[])
    RETURNING o.id, o.status
), returned AS MATERIALIZED (
    SELECT p.id, i.quantity
    FROM moved
    JOIN order_items i ON i.order_id = moved.id
    JOIN products p ON p.id = i.product_id
    WHERE $5
    ORDER BY p.id
    FOR UPDATE OF p
), restocked AS (
    UPDATE products p
    SET stock = p.stock + r.quantity, updated_at = now()
    FROM returned r
    WHERE p.id = r.id
), announced AS (
    INSERT INTO outbox (id, type, key, body, traceparent)
    SELECT $6, $7, moved.id::text, $8, $9
    FROM moved
)
SELECT target.status AS was, moved.status AS moved_to
FROM target
LEFT JOIN moved ON true
