-- Plans of personal offers, and the offers that members got by them. On PostgreSQL.
-- Every statement can be run again. Keys start with the tenant, as in the first schema.

CREATE TABLE IF NOT EXISTS offer_plan (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    key VARCHAR(64) NOT NULL,
    state VARCHAR(16) NOT NULL,
    ruleset_version INTEGER NOT NULL,
    planned_at BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    published_at BIGINT,
    withdrawn_at BIGINT,
    figures TEXT NOT NULL,
    published_by VARCHAR(200) NOT NULL,
    CONSTRAINT offer_plan_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT offer_plan_tenant_id_key_key UNIQUE (tenant_id, key),
    CONSTRAINT offer_plan_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT offer_plan_state_check CHECK (state IN ('PUBLISHING', 'PUBLISHED', 'WITHDRAWN'))
);

CREATE TABLE IF NOT EXISTS member_offer (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    plan_id BIGINT NOT NULL,
    place BIGINT NOT NULL,
    member_id BIGINT NOT NULL,
    offer VARCHAR(64) NOT NULL,
    target VARCHAR(64) NOT NULL,
    state VARCHAR(16) NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    activated_at BIGINT,
    uses_max INTEGER NOT NULL,
    use_ppm INTEGER NOT NULL,
    cost_minor BIGINT NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT member_offer_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT member_offer_tenant_id_plan_id_place_key UNIQUE (tenant_id, plan_id, place),
    CONSTRAINT member_offer_plan_fkey FOREIGN KEY (tenant_id, plan_id) REFERENCES offer_plan (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_offer_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_offer_state_check CHECK (state IN ('OFFERED', 'WITHDRAWN', 'HELD_OUT')),
    CONSTRAINT member_offer_ends_at_check CHECK (ends_at > starts_at),
    CONSTRAINT member_offer_uses_max_check CHECK (uses_max > 0),
    CONSTRAINT member_offer_use_ppm_check CHECK (use_ppm BETWEEN 0 AND 100000000),
    CONSTRAINT member_offer_cost_minor_check CHECK (cost_minor >= 0)
) WITH (fillfactor = 90);

CREATE INDEX IF NOT EXISTS member_offer_member_idx ON member_offer (tenant_id, member_id, ends_at);
