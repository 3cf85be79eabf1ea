-- Coupons, gift cards, quotas; refunds in parts; roots; corrections and their trail. On SQLite.
-- Every statement can be run again. Keys start with the tenant, as in the first schema.

ALTER TABLE member ADD COLUMN kind TEXT NOT NULL DEFAULT 'MEMBER' CONSTRAINT member_kind_check CHECK (kind IN ('MEMBER', 'GIFT_CARD')) CONSTRAINT member_kind_length CHECK (length(kind) <= 16);

ALTER TABLE draw ADD COLUMN holder_id INTEGER NOT NULL DEFAULT 0;

ALTER TABLE draw ADD COLUMN state TEXT NOT NULL DEFAULT 'HELD' CONSTRAINT draw_state_check CHECK (state IN ('HELD', 'SPENT', 'GIVEN_BACK')) CONSTRAINT draw_state_length CHECK (length(state) <= 16);

ALTER TABLE shop_order ADD COLUMN refunds TEXT;

ALTER TABLE shop_order ADD COLUMN credit_minor INTEGER NOT NULL DEFAULT 0 CONSTRAINT shop_order_credit_minor_check CHECK (credit_minor >= 0);

ALTER TABLE shop_order ADD COLUMN gift_minor INTEGER NOT NULL DEFAULT 0 CONSTRAINT shop_order_gift_minor_check CHECK (gift_minor >= 0);

ALTER TABLE shop_order ADD COLUMN tax_minor INTEGER NOT NULL DEFAULT 0 CONSTRAINT shop_order_tax_minor_check CHECK (tax_minor >= 0);

ALTER TABLE order_refund ADD COLUMN credit_minor INTEGER NOT NULL DEFAULT 0 CONSTRAINT order_refund_credit_minor_check CHECK (credit_minor >= 0);

ALTER TABLE order_refund ADD COLUMN gift_minor INTEGER NOT NULL DEFAULT 0 CONSTRAINT order_refund_gift_minor_check CHECK (gift_minor >= 0);

ALTER TABLE order_refund ADD COLUMN kind TEXT NOT NULL DEFAULT 'REFUND' CONSTRAINT order_refund_kind_check CHECK (kind IN ('REFUND', 'CANCELLATION', 'EDIT')) CONSTRAINT order_refund_kind_length CHECK (length(kind) <= 16);

ALTER TABLE order_refund ADD COLUMN lines TEXT;

ALTER TABLE order_refund ADD COLUMN booked TEXT;

ALTER TABLE tenant ADD COLUMN ledger_closed_until INTEGER NOT NULL DEFAULT 0;

ALTER TABLE tier_change ADD COLUMN booked_at INTEGER;

ALTER TABLE tier_change ADD COLUMN since_from INTEGER;

ALTER TABLE tier_change ADD COLUMN grace_until INTEGER;

ALTER TABLE member ADD COLUMN merged_into INTEGER;

ALTER TABLE idempotency ADD COLUMN subject INTEGER NOT NULL DEFAULT 0;

ALTER TABLE inbox ADD COLUMN subject INTEGER NOT NULL DEFAULT 0;

UPDATE draw SET
    holder_id = (SELECT l.member_id FROM lot l WHERE l.tenant_id = draw.tenant_id AND l.id = draw.lot_id),
    state = (SELECT CASE WHEN r.state = 'HELD' THEN 'HELD'
                         WHEN r.state IN ('RELEASED', 'EXPIRED') THEN 'GIVEN_BACK' ELSE 'SPENT' END
               FROM reservation r WHERE r.tenant_id = draw.tenant_id AND r.id = draw.reservation_id)
 WHERE holder_id = 0;

CREATE TABLE IF NOT EXISTS ledger_root (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    root BLOB NOT NULL,
    holders INTEGER NOT NULL,
    transactions INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    CONSTRAINT ledger_root_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ledger_root_tenant_id_day_key UNIQUE (tenant_id, day),
    CONSTRAINT ledger_root_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_root_root_check CHECK (length(root) = 32),
    CONSTRAINT ledger_root_holders_check CHECK (holders >= 0),
    CONSTRAINT ledger_root_transactions_check CHECK (transactions >= 0),
    CONSTRAINT ledger_root_day_length CHECK (length(day) <= 10)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS lot_reversal (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    lot_id INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    CONSTRAINT lot_reversal_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT lot_reversal_lot_fkey FOREIGN KEY (tenant_id, lot_id) REFERENCES lot (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT lot_reversal_amount_check CHECK (amount <> 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS member_merge (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    moved TEXT NOT NULL,
    merged_at INTEGER NOT NULL,
    unmerged_at INTEGER,
    CONSTRAINT member_merge_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT member_merge_source_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_merge_target_fkey FOREIGN KEY (tenant_id, target_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_merge_state_check CHECK (state IN ('MERGED', 'UNMERGED')),
    CONSTRAINT member_merge_state_length CHECK (length(state) <= 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS transaction_note (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    client TEXT,
    idempotency_key TEXT,
    reason TEXT,
    CONSTRAINT transaction_note_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT transaction_note_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT transaction_note_client_length CHECK (length(client) <= 200),
    CONSTRAINT transaction_note_idempotency_key_length CHECK (length(idempotency_key) <= 128),
    CONSTRAINT transaction_note_reason_length CHECK (length(reason) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS quota (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    total_max INTEGER,
    member_max INTEGER,
    used INTEGER NOT NULL,
    CONSTRAINT quota_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT quota_tenant_id_kind_subject_key UNIQUE (tenant_id, kind, subject),
    CONSTRAINT quota_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT quota_kind_check CHECK (kind IN ('COUPON', 'STOCK', 'BUDGET')),
    CONSTRAINT quota_total_max_check CHECK (total_max >= 0),
    CONSTRAINT quota_member_max_check CHECK (member_max >= 0),
    CONSTRAINT quota_used_check CHECK (used >= 0),
    CONSTRAINT quota_kind_length CHECK (length(kind) <= 16),
    CONSTRAINT quota_subject_length CHECK (length(subject) <= 128)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS quota_use (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    quota_id INTEGER NOT NULL,
    member_id INTEGER,
    reservation_id INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    state TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT quota_use_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT quota_use_tenant_id_reservation_id_quota_id_key UNIQUE (tenant_id, reservation_id, quota_id),
    CONSTRAINT quota_use_quota_fkey FOREIGN KEY (tenant_id, quota_id) REFERENCES quota (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT quota_use_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT quota_use_reservation_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT quota_use_quantity_check CHECK (quantity > 0),
    CONSTRAINT quota_use_state_check CHECK (state IN ('HELD', 'USED', 'RELEASED', 'RESTORED')),
    CONSTRAINT quota_use_state_length CHECK (length(state) <= 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS coupon (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    reward TEXT NOT NULL,
    member_id INTEGER,
    starts_at INTEGER,
    ends_at INTEGER,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    CONSTRAINT coupon_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT coupon_tenant_id_code_key UNIQUE (tenant_id, code),
    CONSTRAINT coupon_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT coupon_state_check CHECK (state IN ('ISSUED', 'REVOKED')),
    CONSTRAINT coupon_ends_at_check CHECK (ends_at > starts_at),
    CONSTRAINT coupon_code_length CHECK (length(code) <= 64),
    CONSTRAINT coupon_reward_length CHECK (length(reward) <= 64),
    CONSTRAINT coupon_state_length CHECK (length(state) <= 16),
    CONSTRAINT coupon_created_by_length CHECK (length(created_by) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS gift_card (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    code_hash TEXT NOT NULL,
    last4 TEXT NOT NULL,
    holder_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    initial_minor INTEGER NOT NULL,
    state TEXT NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    CONSTRAINT gift_card_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT gift_card_tenant_id_code_hash_key UNIQUE (tenant_id, code_hash),
    CONSTRAINT gift_card_tenant_id_holder_id_key UNIQUE (tenant_id, holder_id),
    CONSTRAINT gift_card_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT gift_card_currency_check CHECK (length(currency) = 3),
    CONSTRAINT gift_card_initial_minor_check CHECK (initial_minor > 0),
    CONSTRAINT gift_card_state_check CHECK (state IN ('ACTIVE', 'BLOCKED')),
    CONSTRAINT gift_card_code_hash_length CHECK (length(code_hash) <= 64),
    CONSTRAINT gift_card_last4_length CHECK (length(last4) <= 4),
    CONSTRAINT gift_card_currency_length CHECK (length(currency) <= 3),
    CONSTRAINT gift_card_state_length CHECK (length(state) <= 16),
    CONSTRAINT gift_card_created_by_length CHECK (length(created_by) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS adjustment (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    expires_at INTEGER,
    allows_deficit INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    proposed_by TEXT NOT NULL,
    decided_by TEXT,
    transaction_id INTEGER,
    created_at INTEGER NOT NULL,
    decided_at INTEGER,
    CONSTRAINT adjustment_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT adjustment_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT adjustment_transaction_fkey FOREIGN KEY (tenant_id, transaction_id) REFERENCES ledger_transaction (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT adjustment_amount_check CHECK (amount <> 0),
    CONSTRAINT adjustment_state_check CHECK (state IN ('PROPOSED', 'BOOKED', 'DECLINED')),
    CONSTRAINT adjustment_unit_length CHECK (length(unit) <= 64),
    CONSTRAINT adjustment_allows_deficit_check CHECK (allows_deficit IN (0, 1)),
    CONSTRAINT adjustment_state_length CHECK (length(state) <= 16),
    CONSTRAINT adjustment_reason_length CHECK (length(reason) <= 200),
    CONSTRAINT adjustment_proposed_by_length CHECK (length(proposed_by) <= 200),
    CONSTRAINT adjustment_decided_by_length CHECK (length(decided_by) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS audit_event (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    CONSTRAINT audit_event_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT audit_event_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT audit_event_actor_length CHECK (length(actor) <= 200),
    CONSTRAINT audit_event_action_length CHECK (length(action) <= 64),
    CONSTRAINT audit_event_subject_kind_length CHECK (length(subject_kind) <= 32),
    CONSTRAINT audit_event_subject_id_length CHECK (length(subject_id) <= 128)
) STRICT, WITHOUT ROWID;

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

CREATE TRIGGER IF NOT EXISTS ledger_root_no_update BEFORE UPDATE ON ledger_root BEGIN
    SELECT RAISE(ABORT, 'ledger_root is append-only: UPDATE refused');
END;

CREATE TRIGGER IF NOT EXISTS ledger_root_no_delete BEFORE DELETE ON ledger_root BEGIN
    SELECT RAISE(ABORT, 'ledger_root is append-only: DELETE refused');
END;

CREATE TRIGGER IF NOT EXISTS ledger_root_no_replace_by_key BEFORE INSERT ON ledger_root
WHEN EXISTS (SELECT 1 FROM ledger_root WHERE tenant_id = NEW.tenant_id AND id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger_root.tenant_id, ledger_root.id');
END;

CREATE TRIGGER IF NOT EXISTS ledger_root_no_replace_by_day BEFORE INSERT ON ledger_root
WHEN EXISTS (SELECT 1 FROM ledger_root WHERE tenant_id = NEW.tenant_id AND day = NEW.day) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger_root.tenant_id, ledger_root.day');
END;

CREATE TRIGGER IF NOT EXISTS lot_reversal_no_update BEFORE UPDATE ON lot_reversal BEGIN
    SELECT RAISE(ABORT, 'lot_reversal is append-only: UPDATE refused');
END;

CREATE TRIGGER IF NOT EXISTS lot_reversal_no_delete BEFORE DELETE ON lot_reversal BEGIN
    SELECT RAISE(ABORT, 'lot_reversal is append-only: DELETE refused');
END;

CREATE TRIGGER IF NOT EXISTS lot_reversal_no_replace_by_key BEFORE INSERT ON lot_reversal
WHEN EXISTS (SELECT 1 FROM lot_reversal WHERE tenant_id = NEW.tenant_id AND id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: lot_reversal.tenant_id, lot_reversal.id');
END;

CREATE TRIGGER IF NOT EXISTS audit_event_no_update BEFORE UPDATE ON audit_event BEGIN
    SELECT RAISE(ABORT, 'audit_event is append-only: UPDATE refused');
END;

CREATE TRIGGER IF NOT EXISTS audit_event_no_delete BEFORE DELETE ON audit_event BEGIN
    SELECT RAISE(ABORT, 'audit_event is append-only: DELETE refused');
END;

CREATE TRIGGER IF NOT EXISTS audit_event_no_replace_by_key BEFORE INSERT ON audit_event
WHEN EXISTS (SELECT 1 FROM audit_event WHERE tenant_id = NEW.tenant_id AND id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: audit_event.tenant_id, audit_event.id');
END;

-- How selective each key is in a grown shop, as the first schema tells of its own.
DELETE FROM sqlite_stat1 WHERE tbl IN ('ledger_root', 'lot_reversal', 'transaction_note', 'quota', 'quota_use', 'coupon', 'gift_card', 'adjustment', 'audit_event', 'member_merge')
    OR idx IN ('draw_held_idx', 'member_merged_idx', 'reservation_member_idx');

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('ledger_root', 'ledger_root', '1000000 1000000 1'),
    ('ledger_root', 'sqlite_autoindex_ledger_root_2', '1000000 1000000 1'),
    ('lot_reversal', 'lot_reversal', '1000000 1000000 1'),
    ('lot_reversal', 'lot_reversal_lot_idx', '1000000 1000000 2'),
    ('transaction_note', 'transaction_note', '1000000 1000000 1'),
    ('quota', 'quota', '1000000 1000000 1'),
    ('quota', 'sqlite_autoindex_quota_2', '1000000 1000000 1000 1'),
    ('quota_use', 'quota_use', '1000000 1000000 1'),
    ('quota_use', 'sqlite_autoindex_quota_use_2', '1000000 1000000 1000 1'),
    ('coupon', 'coupon', '1000000 1000000 1'),
    ('coupon', 'sqlite_autoindex_coupon_2', '1000000 1000000 1'),
    ('gift_card', 'gift_card', '1000000 1000000 1'),
    ('gift_card', 'sqlite_autoindex_gift_card_2', '1000000 1000000 1'),
    ('gift_card', 'sqlite_autoindex_gift_card_3', '1000000 1000000 1'),
    ('adjustment', 'adjustment', '1000000 1000000 1'),
    ('audit_event', 'audit_event', '1000000 1000000 1'),
    ('quota_use', 'quota_use_held_idx', '10000 10000 10 1'),
    ('quota_use', 'quota_use_member_idx', '1000000 1000000 1000 1 1'),
    ('coupon', 'coupon_member_idx', '1000000 1000000 2 1'),
    ('adjustment', 'adjustment_member_idx', '1000000 1000000 2 1'),
    ('adjustment', 'adjustment_proposed_idx', '100 100 1'),
    ('audit_event', 'audit_event_subject_idx', '1000000 1000000 100000 5 1'),
    ('draw', 'draw_held_idx', '10000 10000 2 1'),
    ('member', 'member_merged_idx', '1000 1000 2 1'),
    ('member_merge', 'member_merge', '1000 1000 1'),
    ('member_merge', 'member_merge_source_idx', '1000 1000 1 1'),
    ('member_merge', 'member_merge_target_idx', '1000 1000 2 1'),
    ('reservation', 'reservation_member_idx', '1000000 1000000 50 1');
