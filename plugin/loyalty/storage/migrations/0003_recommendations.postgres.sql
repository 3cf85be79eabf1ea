-- What came of recommendations: events, counts, attributed sales, models on trial. On PostgreSQL.
-- Every statement can be run again. Keys start with the tenant, as in the first schema.

ALTER TABLE tenant ADD COLUMN IF NOT EXISTS attributed_until BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS experiment (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    control VARCHAR(40) NOT NULL,
    candidate VARCHAR(40) NOT NULL,
    share_bp INTEGER NOT NULL,
    running INTEGER,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    started_by VARCHAR(200) NOT NULL,
    CONSTRAINT experiment_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT experiment_tenant_id_running_key UNIQUE (tenant_id, running),
    CONSTRAINT experiment_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT experiment_share_bp_check CHECK (share_bp BETWEEN 1 AND 9999),
    CONSTRAINT experiment_running_check CHECK (running = 1),
    CONSTRAINT experiment_ended_at_check CHECK (ended_at >= started_at)
);

CREATE TABLE IF NOT EXISTS experiment_member (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    experiment_id BIGINT NOT NULL,
    member_id BIGINT NOT NULL,
    variant VARCHAR(16) NOT NULL,
    first_at BIGINT NOT NULL,
    CONSTRAINT experiment_member_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT experiment_member_tenant_id_experiment_id_member_id_key UNIQUE (tenant_id, experiment_id, member_id),
    CONSTRAINT experiment_member_experiment_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT experiment_member_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT experiment_member_variant_check CHECK (variant IN ('CONTROL', 'CANDIDATE'))
);

CREATE TABLE IF NOT EXISTS recommendation_event (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    recommendation BIGINT NOT NULL,
    type VARCHAR(16) NOT NULL,
    product VARCHAR(128) NOT NULL,
    position INTEGER NOT NULL,
    window_code VARCHAR(16) NOT NULL,
    model VARCHAR(40) NOT NULL,
    variant VARCHAR(16) NOT NULL,
    experiment_id BIGINT,
    member_id BIGINT,
    occurred_at BIGINT NOT NULL,
    booked_at BIGINT NOT NULL,
    CONSTRAINT recommendation_event_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT recommendation_event_tenant_id_recommendation_type_product_key UNIQUE (tenant_id, recommendation, type, product),
    CONSTRAINT recommendation_event_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_event_experiment_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_event_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_event_type_check CHECK (type IN ('IMPRESSION', 'CLICK', 'CART')),
    CONSTRAINT recommendation_event_position_check CHECK (position >= 0),
    CONSTRAINT recommendation_event_variant_check CHECK (variant IN ('', 'CONTROL', 'CANDIDATE'))
);

CREATE TABLE IF NOT EXISTS recommendation_day (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    day VARCHAR(10) NOT NULL,
    window_code VARCHAR(16) NOT NULL,
    model VARCHAR(40) NOT NULL,
    variant VARCHAR(16) NOT NULL,
    impressions BIGINT NOT NULL,
    clicks BIGINT NOT NULL,
    carts BIGINT NOT NULL,
    CONSTRAINT recommendation_day_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT recommendation_day_tenant_id_day_window_code_model_variant_key UNIQUE (tenant_id, day, window_code, model, variant),
    CONSTRAINT recommendation_day_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_day_impressions_check CHECK (impressions >= 0),
    CONSTRAINT recommendation_day_clicks_check CHECK (clicks >= 0),
    CONSTRAINT recommendation_day_carts_check CHECK (carts >= 0)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS recommendation_sale (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    order_id BIGINT NOT NULL,
    product VARCHAR(128) NOT NULL,
    day VARCHAR(10) NOT NULL,
    recommendation BIGINT NOT NULL,
    touch VARCHAR(16) NOT NULL,
    touched_at BIGINT NOT NULL,
    window_code VARCHAR(16) NOT NULL,
    model VARCHAR(40) NOT NULL,
    variant VARCHAR(16) NOT NULL,
    experiment_id BIGINT,
    currency VARCHAR(3) NOT NULL,
    quantity BIGINT NOT NULL,
    sales_minor BIGINT NOT NULL,
    attributed_at BIGINT NOT NULL,
    CONSTRAINT recommendation_sale_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT recommendation_sale_tenant_id_order_id_product_key UNIQUE (tenant_id, order_id, product),
    CONSTRAINT recommendation_sale_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_sale_experiment_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_sale_touch_check CHECK (touch IN ('IMPRESSION', 'CLICK', 'CART')),
    CONSTRAINT recommendation_sale_currency_check CHECK (length(currency) = 3),
    CONSTRAINT recommendation_sale_quantity_check CHECK (quantity >= 0),
    CONSTRAINT recommendation_sale_sales_minor_check CHECK (sales_minor >= 0)
) WITH (fillfactor = 80);

CREATE INDEX IF NOT EXISTS experiment_member_member_idx ON experiment_member (tenant_id, member_id);

CREATE INDEX IF NOT EXISTS recommendation_event_member_idx ON recommendation_event (tenant_id, member_id, product, occurred_at) WHERE member_id IS NOT NULL;

CREATE INDEX IF NOT EXISTS recommendation_sale_day_idx ON recommendation_sale (tenant_id, day);

CREATE INDEX IF NOT EXISTS recommendation_sale_experiment_idx ON recommendation_sale (tenant_id, experiment_id) WHERE experiment_id IS NOT NULL;
