ALTER TABLE product ADD COLUMN tiers_until INTEGER;

CREATE INDEX IF NOT EXISTS product_tiers_until_idx ON product (tenant_id, tiers_until) WHERE tiers_until IS NOT NULL;

-- How selective it is in a grown shop, as the first schema tells of its own: a few products of many.
DELETE FROM sqlite_stat1 WHERE idx = 'product_tiers_until_idx';

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('product', 'product_tiers_until_idx', '1000 1000 2');
