-- Coupons, gift cards, quotas; refunds in parts; roots; corrections and their trail. On PostgreSQL.
-- Every statement can be run again. Keys start with the tenant, as in the first schema.

ALTER TABLE member ADD COLUMN IF NOT EXISTS kind VARCHAR(16) NOT NULL DEFAULT 'MEMBER' CONSTRAINT member_kind_check CHECK (kind IN ('MEMBER', 'GIFT_CARD'));

ALTER TABLE draw ADD COLUMN IF NOT EXISTS holder_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE draw ADD COLUMN IF NOT EXISTS state VARCHAR(16) NOT NULL DEFAULT 'HELD' CONSTRAINT draw_state_check CHECK (state IN ('HELD', 'SPENT', 'GIVEN_BACK'));

ALTER TABLE shop_order ADD COLUMN IF NOT EXISTS refunds TEXT;

ALTER TABLE shop_order ADD COLUMN IF NOT EXISTS credit_minor BIGINT NOT NULL DEFAULT 0 CONSTRAINT shop_order_credit_minor_check CHECK (credit_minor >= 0);

ALTER TABLE shop_order ADD COLUMN IF NOT EXISTS gift_minor BIGINT NOT NULL DEFAULT 0 CONSTRAINT shop_order_gift_minor_check CHECK (gift_minor >= 0);

ALTER TABLE shop_order ADD COLUMN IF NOT EXISTS tax_minor BIGINT NOT NULL DEFAULT 0 CONSTRAINT shop_order_tax_minor_check CHECK (tax_minor >= 0);

ALTER TABLE order_refund ADD COLUMN IF NOT EXISTS credit_minor BIGINT NOT NULL DEFAULT 0 CONSTRAINT order_refund_credit_minor_check CHECK (credit_minor >= 0);

ALTER TABLE order_refund ADD COLUMN IF NOT EXISTS gift_minor BIGINT NOT NULL DEFAULT 0 CONSTRAINT order_refund_gift_minor_check CHECK (gift_minor >= 0);

ALTER TABLE order_refund ADD COLUMN IF NOT EXISTS kind VARCHAR(16) NOT NULL DEFAULT 'REFUND' CONSTRAINT order_refund_kind_check CHECK (kind IN ('REFUND', 'CANCELLATION', 'EDIT'));

ALTER TABLE order_refund ADD COLUMN IF NOT EXISTS lines TEXT;

ALTER TABLE order_refund ADD COLUMN IF NOT EXISTS booked TEXT;

ALTER TABLE tenant ADD COLUMN IF NOT EXISTS ledger_closed_until BIGINT NOT NULL DEFAULT 0;

ALTER TABLE tier_change ADD COLUMN IF NOT EXISTS booked_at BIGINT;

ALTER TABLE tier_change ADD COLUMN IF NOT EXISTS since_from BIGINT;

ALTER TABLE tier_change ADD COLUMN IF NOT EXISTS grace_until BIGINT;

ALTER TABLE member ADD COLUMN IF NOT EXISTS merged_into BIGINT;

ALTER TABLE idempotency ADD COLUMN IF NOT EXISTS subject BIGINT NOT NULL DEFAULT 0;

ALTER TABLE inbox ADD COLUMN IF NOT EXISTS subject BIGINT NOT NULL DEFAULT 0;

UPDATE draw SET
    holder_id = (SELECT l.member_id FROM lot l WHERE l.tenant_id = draw.tenant_id AND l.id = draw.lot_id),
    state = (SELECT CASE WHEN r.state = 'HELD' THEN 'HELD'
                         WHEN r.state IN ('RELEASED', 'EXPIRED') THEN 'GIVEN_BACK' ELSE 'SPENT' END
               FROM reservation r WHERE r.tenant_id = draw.tenant_id AND r.id = draw.reservation_id)
 WHERE holder_id = 0;

CREATE TABLE IF NOT EXISTS ledger_root (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    day VARCHAR(10) NOT NULL,
    root BYTEA NOT NULL,
    holders BIGINT NOT NULL,
    transactions BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    CONSTRAINT ledger_root_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ledger_root_tenant_id_day_key UNIQUE (tenant_id, day),
    CONSTRAINT ledger_root_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_root_root_check CHECK (octet_length(root) = 32),
    CONSTRAINT ledger_root_holders_check CHECK (holders >= 0),
    CONSTRAINT ledger_root_transactions_check CHECK (transactions >= 0)
);

CREATE TABLE IF NOT EXISTS lot_reversal (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    lot_id BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    booked_at BIGINT NOT NULL,
    CONSTRAINT lot_reversal_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT lot_reversal_lot_fkey FOREIGN KEY (tenant_id, lot_id) REFERENCES lot (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT lot_reversal_amount_check CHECK (amount <> 0)
);

CREATE TABLE IF NOT EXISTS member_merge (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    source_id BIGINT NOT NULL,
    target_id BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    moved TEXT NOT NULL,
    merged_at BIGINT NOT NULL,
    unmerged_at BIGINT,
    CONSTRAINT member_merge_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT member_merge_source_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_merge_target_fkey FOREIGN KEY (tenant_id, target_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_merge_state_check CHECK (state IN ('MERGED', 'UNMERGED'))
);

CREATE TABLE IF NOT EXISTS transaction_note (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    client VARCHAR(200),
    idempotency_key VARCHAR(128),
    reason VARCHAR(200),
    CONSTRAINT transaction_note_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT transaction_note_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE IF NOT EXISTS quota (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    subject VARCHAR(128) NOT NULL,
    total_max BIGINT,
    member_max BIGINT,
    used BIGINT NOT NULL,
    CONSTRAINT quota_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT quota_tenant_id_kind_subject_key UNIQUE (tenant_id, kind, subject),
    CONSTRAINT quota_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT quota_kind_check CHECK (kind IN ('COUPON', 'STOCK', 'BUDGET')),
    CONSTRAINT quota_total_max_check CHECK (total_max >= 0),
    CONSTRAINT quota_member_max_check CHECK (member_max >= 0),
    CONSTRAINT quota_used_check CHECK (used >= 0)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS quota_use (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    quota_id BIGINT NOT NULL,
    member_id BIGINT,
    reservation_id BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT quota_use_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT quota_use_tenant_id_reservation_id_quota_id_key UNIQUE (tenant_id, reservation_id, quota_id),
    CONSTRAINT quota_use_quota_fkey FOREIGN KEY (tenant_id, quota_id) REFERENCES quota (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT quota_use_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT quota_use_reservation_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT quota_use_quantity_check CHECK (quantity > 0),
    CONSTRAINT quota_use_state_check CHECK (state IN ('HELD', 'USED', 'RELEASED', 'RESTORED'))
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS coupon (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    code VARCHAR(64) NOT NULL,
    reward VARCHAR(64) NOT NULL,
    member_id BIGINT,
    starts_at BIGINT,
    ends_at BIGINT,
    state VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    created_by VARCHAR(200) NOT NULL,
    CONSTRAINT coupon_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT coupon_tenant_id_code_key UNIQUE (tenant_id, code),
    CONSTRAINT coupon_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT coupon_state_check CHECK (state IN ('ISSUED', 'REVOKED')),
    CONSTRAINT coupon_ends_at_check CHECK (ends_at > starts_at)
);

CREATE TABLE IF NOT EXISTS gift_card (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    code_hash VARCHAR(64) NOT NULL,
    last4 VARCHAR(4) NOT NULL,
    holder_id BIGINT NOT NULL,
    currency VARCHAR(3) NOT NULL,
    initial_minor BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by VARCHAR(200) NOT NULL,
    CONSTRAINT gift_card_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT gift_card_tenant_id_code_hash_key UNIQUE (tenant_id, code_hash),
    CONSTRAINT gift_card_tenant_id_holder_id_key UNIQUE (tenant_id, holder_id),
    CONSTRAINT gift_card_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT gift_card_currency_check CHECK (length(currency) = 3),
    CONSTRAINT gift_card_initial_minor_check CHECK (initial_minor > 0),
    CONSTRAINT gift_card_state_check CHECK (state IN ('ACTIVE', 'BLOCKED'))
);

CREATE TABLE IF NOT EXISTS adjustment (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id BIGINT NOT NULL,
    unit VARCHAR(64) NOT NULL,
    amount BIGINT NOT NULL,
    expires_at BIGINT,
    allows_deficit BOOLEAN NOT NULL,
    state VARCHAR(16) NOT NULL,
    reason VARCHAR(200),
    proposed_by VARCHAR(200) NOT NULL,
    decided_by VARCHAR(200),
    transaction_id BIGINT,
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    CONSTRAINT adjustment_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT adjustment_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT adjustment_transaction_fkey FOREIGN KEY (tenant_id, transaction_id) REFERENCES ledger_transaction (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT adjustment_amount_check CHECK (amount <> 0),
    CONSTRAINT adjustment_state_check CHECK (state IN ('PROPOSED', 'BOOKED', 'DECLINED'))
);

CREATE TABLE IF NOT EXISTS audit_event (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    actor VARCHAR(200) NOT NULL,
    action VARCHAR(64) NOT NULL,
    subject_kind VARCHAR(32) NOT NULL,
    subject_id VARCHAR(128) NOT NULL,
    detail TEXT NOT NULL,
    CONSTRAINT audit_event_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT audit_event_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX IF NOT EXISTS member_merged_idx ON member (tenant_id, merged_into) WHERE merged_into IS NOT NULL;

CREATE INDEX IF NOT EXISTS member_merge_source_idx ON member_merge (tenant_id, source_id);

CREATE INDEX IF NOT EXISTS member_merge_target_idx ON member_merge (tenant_id, target_id);

CREATE INDEX IF NOT EXISTS reservation_member_idx ON reservation (tenant_id, member_id);

CREATE INDEX IF NOT EXISTS quota_use_held_idx ON quota_use (tenant_id, quota_id) WHERE state = 'HELD';

CREATE INDEX IF NOT EXISTS quota_use_member_idx ON quota_use (tenant_id, quota_id, member_id);

CREATE INDEX IF NOT EXISTS coupon_member_idx ON coupon (tenant_id, member_id);

CREATE INDEX IF NOT EXISTS adjustment_member_idx ON adjustment (tenant_id, member_id);

CREATE INDEX IF NOT EXISTS adjustment_proposed_idx ON adjustment (tenant_id, id) WHERE state = 'PROPOSED';

CREATE INDEX IF NOT EXISTS audit_event_subject_idx ON audit_event (tenant_id, subject_kind, subject_id);

CREATE INDEX IF NOT EXISTS lot_reversal_lot_idx ON lot_reversal (tenant_id, lot_id);

CREATE INDEX IF NOT EXISTS draw_held_idx ON draw (tenant_id, holder_id) WHERE state = 'HELD';

CREATE OR REPLACE TRIGGER ledger_root_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_root
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_append_only();

ALTER TABLE ledger_root ENABLE ALWAYS TRIGGER ledger_root_append_only;

CREATE OR REPLACE TRIGGER lot_reversal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lot_reversal
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_append_only();

ALTER TABLE lot_reversal ENABLE ALWAYS TRIGGER lot_reversal_append_only;

CREATE OR REPLACE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_append_only();

ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_append_only;
