-- The items of an order never change and are read with it: `items` has them in its row, in the
-- order of their positions. NULL in an order that the version before has placed; then order_items
-- is asked, which has all of them, for what goes by product.
CREATE TYPE order_item AS (
    product_id uuid,
    sku        text,
    name       text,
    quantity   bigint,
    unit_price bigint
);
ALTER TABLE orders ADD COLUMN items order_item[];
