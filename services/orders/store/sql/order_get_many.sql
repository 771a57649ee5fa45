-- $1 ids. One row per item as in order_get, with the place of the order's id in $1. The array comes
-- by a subselect so that the planner, which cannot look into one, finds every call equal and keeps
-- its plan; it would make a plan for each array that is shorter than the ten ids it reckons with.
SELECT o.id, o.user_id, o.status, o.currency, o.total, o.version, o.created_at, o.updated_at,
       i.product_id, i.sku, i.name, i.quantity, i.unit_price, w.at
FROM unnest((SELECT $1::uuid[])) WITH ORDINALITY AS w (id, at)
JOIN orders o ON o.id = w.id
JOIN order_items i ON i.order_id = o.id
ORDER BY w.at, i.position
