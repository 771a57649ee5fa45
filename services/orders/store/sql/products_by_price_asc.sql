-- $1 sku or null, $2 and $3 the last row before this page, $4 rows.
SELECT id, sku, name, description, price, currency, stock, active, version, created_at, updated_at
FROM products
WHERE active
  AND ($1::text IS NULL OR sku = $1)
  AND (price, id) > ($2::bigint, $3::uuid)
ORDER BY price ASC, id ASC
LIMIT $4
