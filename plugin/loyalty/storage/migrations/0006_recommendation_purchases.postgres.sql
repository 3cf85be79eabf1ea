-- What shops say was bought of a recommendation. On PostgreSQL.
-- Every statement can be run again. Keys start with the tenant, as in the first schema.

CREATE TABLE IF NOT EXISTS recommendation_purchase (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    recommendation BIGINT NOT NULL,
    product VARCHAR(128) NOT NULL,
    order_external_id VARCHAR(128) NOT NULL,
    window_code VARCHAR(16) NOT NULL,
    model VARCHAR(40) NOT NULL,
    variant VARCHAR(16) NOT NULL,
    experiment_id BIGINT,
    answered_at BIGINT NOT NULL,
    booked_at BIGINT NOT NULL,
    CONSTRAINT recommendation_purchase_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT recommendation_purchase_tenant_id_order_external_id_product_key UNIQUE (tenant_id, order_external_id, product),
    CONSTRAINT recommendation_purchase_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_purchase_experiment_fkey FOREIGN KEY (tenant_id, experiment_id) REFERENCES experiment (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT recommendation_purchase_variant_check CHECK (variant IN ('', 'CONTROL', 'CANDIDATE'))
);
