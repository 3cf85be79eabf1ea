ALTER TABLE product ADD COLUMN IF NOT EXISTS tiers_until BIGINT;

CREATE INDEX IF NOT EXISTS product_tiers_until_idx ON product (tenant_id, tiers_until) WHERE tiers_until IS NOT NULL;
