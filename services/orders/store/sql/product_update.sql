-- write
-- $1 product, $2 version it must have or null; null leaves a column as it is. No row: no such
-- product; updated false: another version.
WITH target AS MATERIALIZED (
    SELECT id, version FROM products WHERE id = $1 FOR UPDATE
), changed AS (
    UPDATE products p
    SET sku = coalesce($3, p.sku),
        name = coalesce($4, p.name),
        description = coalesce($5, p.description),
        price = coalesce($6, p.price),
        currency = coalesce($7, p.currency),
        stock = coalesce($8, p.stock),
        active = coalesce($9, p.active),
        version = p.version + 1,
        updated_at = now()
    FROM target t
    WHERE p.id = t.id AND ($2::bigint IS NULL OR t.version = $2)
    RETURNING p.*
)
SELECT c.id IS NOT NULL AS updated, c.id, c.sku, c.name, c.description, c.price, c.currency,
       c.stock, c.active, c.version, c.created_at, c.updated_at
FROM target
LEFT JOIN changed c ON true
