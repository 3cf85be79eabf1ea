-- Plans of personal offers, and the offers that members got by them. On SQLite.
-- Every statement can be run again. Keys start with the tenant, as in the first schema.

CREATE TABLE IF NOT EXISTS offer_plan (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    ruleset_version INTEGER NOT NULL,
    planned_at INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    published_at INTEGER,
    withdrawn_at INTEGER,
    figures TEXT NOT NULL,
    published_by TEXT NOT NULL,
    CONSTRAINT offer_plan_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT offer_plan_tenant_id_key_key UNIQUE (tenant_id, key),
    CONSTRAINT offer_plan_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT offer_plan_state_check CHECK (state IN ('PUBLISHING', 'PUBLISHED', 'WITHDRAWN')),
    CONSTRAINT offer_plan_key_length CHECK (length(key) <= 64),
    CONSTRAINT offer_plan_state_length CHECK (length(state) <= 16),
    CONSTRAINT offer_plan_published_by_length CHECK (length(published_by) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS member_offer (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    plan_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    offer TEXT NOT NULL,
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    activated_at INTEGER,
    uses_max INTEGER NOT NULL,
    use_ppm INTEGER NOT NULL,
    cost_minor INTEGER NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT member_offer_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT member_offer_tenant_id_plan_id_place_key UNIQUE (tenant_id, plan_id, place),
    CONSTRAINT member_offer_plan_fkey FOREIGN KEY (tenant_id, plan_id) REFERENCES offer_plan (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_offer_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_offer_state_check CHECK (state IN ('OFFERED', 'WITHDRAWN', 'HELD_OUT')),
    CONSTRAINT member_offer_ends_at_check CHECK (ends_at > starts_at),
    CONSTRAINT member_offer_uses_max_check CHECK (uses_max > 0),
    CONSTRAINT member_offer_use_ppm_check CHECK (use_ppm BETWEEN 0 AND 100000000),
    CONSTRAINT member_offer_cost_minor_check CHECK (cost_minor >= 0),
    CONSTRAINT member_offer_offer_length CHECK (length(offer) <= 64),
    CONSTRAINT member_offer_target_length CHECK (length(target) <= 64),
    CONSTRAINT member_offer_state_length CHECK (length(state) <= 16)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS member_offer_member_idx ON member_offer (tenant_id, member_id, ends_at);

-- How selective each key is in a grown shop, as the first schema tells of its own.
DELETE FROM sqlite_stat1 WHERE tbl IN ('offer_plan', 'member_offer');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('offer_plan', 'offer_plan', '1000 1000 1'),
    ('offer_plan', 'sqlite_autoindex_offer_plan_2', '1000 1000 1'),
    ('member_offer', 'member_offer', '1000000 1000000 1'),
    ('member_offer', 'sqlite_autoindex_member_offer_2', '1000000 1000000 5000 1'),
    ('member_offer', 'member_offer_member_idx', '1000000 1000000 10 2');
