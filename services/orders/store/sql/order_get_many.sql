-- $1 ids. As order_get. The array comes by a subselect so that the planner, which cannot look
-- into one, finds every call equal and keeps its plan; it would make a plan for each array that
-- is shorter than the ten ids it reckons with.
SELECT o.id, o.user_id, o.status, o.currency, o.total, o.version, o.created_at, o.updated_at,
       coalesce(o.items, ARRAY(
           SELECT (i.product_id, i.sku, i.name, i.quantity, i.unit_price)::order_item
           FROM order_items i
           WHERE i.order_id = o.id
           ORDER BY i.position
       )) AS items
FROM orders o
WHERE o.id = ANY ((SELECT $1::uuid[])::uuid[])
