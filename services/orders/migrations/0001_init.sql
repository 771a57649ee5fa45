CREATE TABLE products (
    id          uuid PRIMARY KEY,
    sku         text NOT NULL CONSTRAINT products_sku_key UNIQUE,
    name        text NOT NULL,
    description text,
    price       bigint NOT NULL CHECK (price >= 0),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    stock       bigint NOT NULL CONSTRAINT products_stock_check CHECK (stock >= 0),
    active      boolean NOT NULL DEFAULT true,
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX products_by_created ON products (created_at, id) WHERE active;
CREATE INDEX products_by_price ON products (price, id) WHERE active;

CREATE TABLE orders (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    status     text NOT NULL CHECK (status IN
                   ('pending', 'paid', 'shipped', 'delivered', 'cancelled', 'refunded')),
    currency   text NOT NULL,
    total      bigint NOT NULL CHECK (total >= 0),
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_by_user ON orders (user_id, created_at, id);
CREATE INDEX orders_by_created ON orders (created_at, id);

CREATE TABLE order_items (
    order_id   uuid NOT NULL REFERENCES orders,
    position   int NOT NULL,
    product_id uuid NOT NULL REFERENCES products,
    sku        text NOT NULL,
    name       text NOT NULL,
    quantity   bigint NOT NULL CHECK (quantity > 0),
    unit_price bigint NOT NULL CHECK (unit_price >= 0),
    PRIMARY KEY (order_id, position)
);

CREATE TABLE outbox (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid NOT NULL UNIQUE,
    type         text NOT NULL,
    key          text NOT NULL,
    body         bytea NOT NULL,
    traceparent  text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;
