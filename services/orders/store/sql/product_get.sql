SELECT id, sku, name, description, price, currency, stock, active, version, created_at, updated_at
FROM products
WHERE id = $1
