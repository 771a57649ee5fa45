-- write
-- $1 order, $2 user, $3 products, $4 quantities, $5 event, $6 event type, $7 event body,
-- $8 traceparent. One row per line, in the order asked for; placed_at is null in all of them
-- when nothing was written. Rows are locked in the order of their ids, so two orders for the
-- same products wait for each other and never deadlock.
WITH wanted AS (
    SELECT product_id, quantity, position
    FROM unnest($3::uuid[], $4::bigint[]) WITH ORDINALITY AS w (product_id, quantity, position)
), locked AS MATERIALIZED (
    SELECT id, sku, name, price, currency, stock, active
    FROM products
    WHERE id = ANY ($3::uuid[])
    ORDER BY id
    FOR UPDATE
), lines AS MATERIALIZED (
    SELECT w.position, w.product_id, w.quantity, p.sku, p.name, p.price, p.currency, p.stock,
           coalesce(p.active, false) AS active
    FROM wanted w
    LEFT JOIN locked p ON p.id = w.product_id
), placed AS (
    INSERT INTO orders (id, user_id, status, currency, total, items)
    SELECT $1, $2, 'pending', min(currency), sum(price * quantity)::bigint,
           array_agg((product_id, sku, name, quantity, price)::order_item ORDER BY position)
    FROM lines
    HAVING bool_and(active AND stock >= quantity) AND min(currency) = max(currency)
    RETURNING *
), taken AS (
    UPDATE products p
    SET stock = p.stock - l.quantity, updated_at = now()
    FROM lines l, placed
    WHERE p.id = l.product_id
), itemised AS (
    INSERT INTO order_items (order_id, position, product_id, sku, name, quantity, unit_price)
    SELECT placed.id, l.position, l.product_id, l.sku, l.name, l.quantity, l.price
    FROM placed, lines l
), announced AS (
    INSERT INTO outbox (id, type, key, body, traceparent)
    SELECT $5, $6, placed.id::text, $7, $8
    FROM placed
)
SELECT l.product_id, l.sku, l.name, l.quantity, l.price AS unit_price, l.currency AS line_currency,
       l.stock, l.active,
       placed.created_at AS placed_at, placed.total, placed.currency
FROM lines l
LEFT JOIN placed ON true
ORDER BY l.position
