-- What shops say was bought of a recommendation. On SQLite.
-- Every statement can be run again. Keys start with the tenant, as in the first schema.

CREATE TABLE IF NOT EXISTS recommendation_purchase (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    recommendation INTEGER NOT NULL,
    product TEXT NOT NULL,
    order_external_id TEXT NOT NULL,
    window_code TEXT NOT NULL,
    model TEXT NOT NULL,
    variant TEXT NOT NULL,
    experiment_id INTEGER,
    answered_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    CONSTRAINT recommendation_purchase_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT recommendation_purchase_tenant_id_order_external_id_product_key UNIQUE (tenant_id, order_external_id, product),
    CONSTRAINT recommendation_purchase_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_purchase_experiment_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_purchase_variant_check CHECK (variant IN ('', 'CONTROL', 'CANDIDATE')),
    CONSTRAINT recommendation_purchase_product_length CHECK (length(product) <= 128),
    CONSTRAINT recommendation_purchase_order_external_id_length CHECK (length(order_external_id) <= 128),
    CONSTRAINT recommendation_purchase_window_code_length CHECK (length(window_code) <= 16),
    CONSTRAINT recommendation_purchase_model_length CHECK (length(model) <= 40),
    CONSTRAINT recommendation_purchase_variant_length CHECK (length(variant) <= 16)
) STRICT, WITHOUT ROWID;

-- How selective each key is in a grown shop, as the first schema tells of its own.
DELETE FROM sqlite_stat1 WHERE tbl IN ('recommendation_purchase');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('recommendation_purchase', 'recommendation_purchase', '1000000 1000000 1'),
    ('recommendation_purchase', 'sqlite_autoindex_recommendation_purchase_2', '1000000 1000000 2 1');
