-- What came of recommendations: events, counts, attributed sales, models on trial. On SQLite.
-- Every statement can be run again. Keys start with the tenant, as in the first schema.

ALTER TABLE tenant ADD COLUMN attributed_until INTEGER NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS experiment (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    control TEXT NOT NULL,
    candidate TEXT NOT NULL,
    share_bp INTEGER NOT NULL,
    running INTEGER,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    started_by TEXT NOT NULL,
    CONSTRAINT experiment_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT experiment_tenant_id_running_key UNIQUE (tenant_id, running),
    CONSTRAINT experiment_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT experiment_share_bp_check CHECK (share_bp BETWEEN 1 AND 9999),
    CONSTRAINT experiment_running_check CHECK (running = 1),
    CONSTRAINT experiment_ended_at_check CHECK (ended_at >= started_at),
    CONSTRAINT experiment_control_length CHECK (length(control) <= 40),
    CONSTRAINT experiment_candidate_length CHECK (length(candidate) <= 40),
    CONSTRAINT experiment_started_by_length CHECK (length(started_by) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS experiment_member (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    experiment_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    variant TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    CONSTRAINT experiment_member_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT experiment_member_tenant_id_experiment_id_member_id_key UNIQUE (tenant_id, experiment_id, member_id),
    CONSTRAINT experiment_member_experiment_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT experiment_member_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT experiment_member_variant_check CHECK (variant IN ('CONTROL', 'CANDIDATE')),
    CONSTRAINT experiment_member_variant_length CHECK (length(variant) <= 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS recommendation_event (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    recommendation INTEGER NOT NULL,
    type TEXT NOT NULL,
    product TEXT NOT NULL,
    position INTEGER NOT NULL,
    window_code TEXT NOT NULL,
    model TEXT NOT NULL,
    variant TEXT NOT NULL,
    experiment_id INTEGER,
    member_id INTEGER,
    occurred_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    CONSTRAINT recommendation_event_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT recommendation_event_tenant_id_recommendation_type_product_key UNIQUE (tenant_id, recommendation, type, product),
    CONSTRAINT recommendation_event_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_event_experiment_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_event_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_event_type_check CHECK (type IN ('IMPRESSION', 'CLICK', 'CART')),
    CONSTRAINT recommendation_event_position_check CHECK (position >= 0),
    CONSTRAINT recommendation_event_variant_check CHECK (variant IN ('', 'CONTROL', 'CANDIDATE')),
    CONSTRAINT recommendation_event_type_length CHECK (length(type) <= 16),
    CONSTRAINT recommendation_event_product_length CHECK (length(product) <= 128),
    CONSTRAINT recommendation_event_window_code_length CHECK (length(window_code) <= 16),
    CONSTRAINT recommendation_event_model_length CHECK (length(model) <= 40),
    CONSTRAINT recommendation_event_variant_length CHECK (length(variant) <= 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS recommendation_day (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    window_code TEXT NOT NULL,
    model TEXT NOT NULL,
    variant TEXT NOT NULL,
    impressions INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    carts INTEGER NOT NULL,
    CONSTRAINT recommendation_day_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT recommendation_day_tenant_id_day_window_code_model_variant_key UNIQUE (tenant_id, day, window_code, model, variant),
    CONSTRAINT recommendation_day_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_day_impressions_check CHECK (impressions >= 0),
    CONSTRAINT recommendation_day_clicks_check CHECK (clicks >= 0),
    CONSTRAINT recommendation_day_carts_check CHECK (carts >= 0),
    CONSTRAINT recommendation_day_day_length CHECK (length(day) <= 10),
    CONSTRAINT recommendation_day_window_code_length CHECK (length(window_code) <= 16),
    CONSTRAINT recommendation_day_model_length CHECK (length(model) <= 40),
    CONSTRAINT recommendation_day_variant_length CHECK (length(variant) <= 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS recommendation_sale (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    product TEXT NOT NULL,
    day TEXT NOT NULL,
    recommendation INTEGER NOT NULL,
    touch TEXT NOT NULL,
    touched_at INTEGER NOT NULL,
    window_code TEXT NOT NULL,
    model TEXT NOT NULL,
    variant TEXT NOT NULL,
    experiment_id INTEGER,
    currency TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    sales_minor INTEGER NOT NULL,
    attributed_at INTEGER NOT NULL,
    CONSTRAINT recommendation_sale_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT recommendation_sale_tenant_id_order_id_product_key UNIQUE (tenant_id, order_id, product),
    CONSTRAINT recommendation_sale_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_sale_experiment_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_sale_touch_check CHECK (touch IN ('IMPRESSION', 'CLICK', 'CART')),
    CONSTRAINT recommendation_sale_currency_check CHECK (length(currency) = 3),
    CONSTRAINT recommendation_sale_quantity_check CHECK (quantity >= 0),
    CONSTRAINT recommendation_sale_sales_minor_check CHECK (sales_minor >= 0),
    CONSTRAINT recommendation_sale_product_length CHECK (length(product) <= 128),
    CONSTRAINT recommendation_sale_day_length CHECK (length(day) <= 10),
    CONSTRAINT recommendation_sale_touch_length CHECK (length(touch) <= 16),
    CONSTRAINT recommendation_sale_window_code_length CHECK (length(window_code) <= 16),
    CONSTRAINT recommendation_sale_model_length CHECK (length(model) <= 40),
    CONSTRAINT recommendation_sale_variant_length CHECK (length(variant) <= 16),
    CONSTRAINT recommendation_sale_currency_length CHECK (length(currency) <= 3)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS experiment_member_member_idx ON experiment_member (tenant_id, member_id);

CREATE INDEX IF NOT EXISTS recommendation_event_member_idx ON recommendation_event (tenant_id, member_id, product, occurred_at) WHERE member_id IS NOT NULL;

CREATE INDEX IF NOT EXISTS recommendation_sale_day_idx ON recommendation_sale (tenant_id, day);

CREATE INDEX IF NOT EXISTS recommendation_sale_experiment_idx ON recommendation_sale (tenant_id, experiment_id) WHERE experiment_id IS NOT NULL;

-- How selective each key is in a grown shop, as the first schema tells of its own.
DELETE FROM sqlite_stat1 WHERE tbl IN ('experiment', 'experiment_member', 'recommendation_event', 'recommendation_day', 'recommendation_sale');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('experiment', 'experiment', '100 100 1'),
    ('experiment', 'sqlite_autoindex_experiment_2', '100 100 10'),
    ('experiment_member', 'experiment_member', '1000000 1000000 1'),
    ('experiment_member', 'sqlite_autoindex_experiment_member_2', '1000000 1000000 100000 1'),
    ('experiment_member', 'experiment_member_member_idx', '1000000 1000000 3 1'),
    ('recommendation_event', 'recommendation_event', '1000000 1000000 1'),
    ('recommendation_event', 'sqlite_autoindex_recommendation_event_2', '1000000 1000000 10 7 1'),
    ('recommendation_event', 'recommendation_event_member_idx', '1000000 1000000 100 3 1 1'),
    ('recommendation_day', 'recommendation_day', '100000 100000 1'),
    ('recommendation_day', 'sqlite_autoindex_recommendation_day_2', '100000 100000 50 5 2 1'),
    ('recommendation_sale', 'recommendation_sale', '1000000 1000000 1'),
    ('recommendation_sale', 'sqlite_autoindex_recommendation_sale_2', '1000000 1000000 2 1'),
    ('recommendation_sale', 'recommendation_sale_day_idx', '1000000 1000000 3000 1'),
    ('recommendation_sale', 'recommendation_sale_experiment_idx', '100000 100000 10000 1');
