-- An order with its items: see migrations/0003.
SELECT o.id, o.user_id, o.status, o.currency, o.total, o.version, o.created_at, o.updated_at,
       coalesce(o.items, ARRAY(
           SELECT (i.product_id, i.sku, i.name, i.quantity, i.unit_price)::order_item
           FROM order_items i
           WHERE i.order_id = o.id
           ORDER BY i.position
       )) AS items
FROM orders o
WHERE o.id = $1
