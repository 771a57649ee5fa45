-- write
INSERT INTO products (id, sku, name, description, price, currency, stock)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id, sku, name, description, price, currency, stock, active, version, created_at, updated_at
