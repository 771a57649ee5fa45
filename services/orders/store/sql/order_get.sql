-- One row per item, the order's columns in each.
SELECT o.id, o.user_id, o.status, o.currency, o.total, o.version, o.created_at, o.updated_at,
       i.product_id, i.sku, i.name, i.quantity, i.unit_price
FROM orders o
JOIN order_items i ON i.order_id = o.id
WHERE o.id = $1
ORDER BY i.position
