-- $1 from, $2 to, $3 and $4 the last row before this page, $5 rows.
SELECT o.id, o.user_id, o.status, o.currency, o.total, o.created_at,
       (SELECT sum(i.quantity)::bigint FROM order_items i WHERE i.order_id = o.id) AS pieces
FROM orders o
WHERE o.created_at >= $1::timestamptz AND o.created_at < $2::timestamptz
  AND (o.created_at, o.id) > ($3::timestamptz, $4::uuid)
ORDER BY o.created_at, o.id
LIMIT $5
