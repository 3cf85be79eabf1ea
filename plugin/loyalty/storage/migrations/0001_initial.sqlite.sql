-- The first schema, on SQLite. Frozen: later changes are later migrations.
-- Every primary, unique and foreign key starts with the tenant, but for four names that are unique
-- everywhere because a caller is recognised by them. Instants are microseconds since 1970.
-- Foreign keys are checked at commit, so that rows may refer to each other in any order.

CREATE TABLE IF NOT EXISTS tenant (
    id INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    ruleset_version INTEGER NOT NULL,
    catalogue_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT tenant_pkey PRIMARY KEY (id),
    CONSTRAINT tenant_code_key UNIQUE (code),
    CONSTRAINT tenant_id_check CHECK (id > 0),
    CONSTRAINT tenant_ruleset_version_check CHECK (ruleset_version >= 0),
    CONSTRAINT tenant_catalogue_version_check CHECK (catalogue_version >= 0),
    CONSTRAINT tenant_code_length CHECK (length(code) <= 64),
    CONSTRAINT tenant_name_length CHECK (length(name) <= 200)
) STRICT;

CREATE TABLE IF NOT EXISTS id_lease (
    id INTEGER NOT NULL,
    next_node INTEGER NOT NULL,
    CONSTRAINT id_lease_pkey PRIMARY KEY (id),
    CONSTRAINT id_lease_id_check CHECK (id = 1),
    CONSTRAINT id_lease_next_node_check CHECK (next_node >= 0)
) STRICT;

CREATE TABLE IF NOT EXISTS ruleset (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    source TEXT NOT NULL,
    hash TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    published_by TEXT NOT NULL,
    CONSTRAINT ruleset_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ruleset_tenant_id_version_key UNIQUE (tenant_id, version),
    CONSTRAINT ruleset_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ruleset_version_check CHECK (version > 0),
    CONSTRAINT ruleset_id_check CHECK (id = tenant_id * 1000000 + version),
    CONSTRAINT ruleset_hash_length CHECK (length(hash) <= 64),
    CONSTRAINT ruleset_published_by_length CHECK (length(published_by) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS token_issuer (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    issuer TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_key TEXT,
    audience TEXT,
    CONSTRAINT token_issuer_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT token_issuer_issuer_key UNIQUE (issuer),
    CONSTRAINT token_issuer_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT token_issuer_issuer_length CHECK (length(issuer) <= 200),
    CONSTRAINT token_issuer_algorithm_length CHECK (length(algorithm) <= 16),
    CONSTRAINT token_issuer_audience_length CHECK (length(audience) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS api_key (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CONSTRAINT api_key_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_key_key_id_key UNIQUE (key_id),
    CONSTRAINT api_key_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT api_key_key_id_length CHECK (length(key_id) <= 32),
    CONSTRAINT api_key_name_length CHECK (length(name) <= 200),
    CONSTRAINT api_key_secret_hash_length CHECK (length(secret_hash) <= 64)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS webhook_source (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CONSTRAINT webhook_source_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhook_source_source_key UNIQUE (source),
    CONSTRAINT webhook_source_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT webhook_source_source_length CHECK (length(source) <= 64),
    CONSTRAINT webhook_source_kind_length CHECK (length(kind) <= 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS member (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT,
    email TEXT,
    locale TEXT,
    birthday TEXT,
    consent_email INTEGER NOT NULL,
    consent_sms INTEGER NOT NULL,
    consent_profiling INTEGER NOT NULL,
    consents_at INTEGER,
    profile_at INTEGER,
    joined_at INTEGER NOT NULL,
    state_reason TEXT,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    settled_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    next_change_at INTEGER NOT NULL,
    tier TEXT NOT NULL,
    tier_since INTEGER NOT NULL,
    tier_grace_until INTEGER,
    CONSTRAINT member_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT member_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT member_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_state_check CHECK (state IN ('PROSPECT', 'ACTIVE', 'SUSPENDED', 'CLOSED', 'ERASED')),
    CONSTRAINT member_version_check CHECK (version >= 1),
    CONSTRAINT member_seq_check CHECK (seq >= 0),
    CONSTRAINT member_hash_check CHECK (length(hash) = 32),
    CONSTRAINT member_external_id_length CHECK (length(external_id) <= 128),
    CONSTRAINT member_state_length CHECK (length(state) <= 16),
    CONSTRAINT member_name_length CHECK (length(name) <= 200),
    CONSTRAINT member_email_length CHECK (length(email) <= 320),
    CONSTRAINT member_locale_length CHECK (length(locale) <= 35),
    CONSTRAINT member_birthday_length CHECK (length(birthday) <= 10),
    CONSTRAINT member_consent_email_check CHECK (consent_email IN (0, 1)),
    CONSTRAINT member_consent_sms_check CHECK (consent_sms IN (0, 1)),
    CONSTRAINT member_consent_profiling_check CHECK (consent_profiling IN (0, 1)),
    CONSTRAINT member_state_reason_length CHECK (length(state_reason) <= 200),
    CONSTRAINT member_tier_length CHECK (length(tier) <= 64)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tier_change (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    tier_from TEXT,
    tier_to TEXT NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT tier_change_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT tier_change_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT tier_change_reason_check CHECK (reason IN ('QUALIFIED', 'GRACE_STARTED', 'RENEWED', 'DOWNGRADED')),
    CONSTRAINT tier_change_tier_from_length CHECK (length(tier_from) <= 64),
    CONSTRAINT tier_change_tier_to_length CHECK (length(tier_to) <= 64),
    CONSTRAINT tier_change_reason_length CHECK (length(reason) <= 16)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS tier_change_member_idx ON tier_change (tenant_id, member_id, at);

CREATE TABLE IF NOT EXISTS product (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT,
    department TEXT,
    brand TEXT,
    image_url TEXT,
    price_minor INTEGER,
    currency TEXT NOT NULL,
    cost_minor INTEGER,
    stock INTEGER,
    tiers TEXT NOT NULL,
    invented TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CONSTRAINT product_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT product_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT product_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT product_currency_check CHECK (length(currency) = 3),
    CONSTRAINT product_price_minor_check CHECK (price_minor >= 0),
    CONSTRAINT product_cost_minor_check CHECK (cost_minor >= 0),
    CONSTRAINT product_stock_check CHECK (stock >= 0),
    CONSTRAINT product_external_id_length CHECK (length(external_id) <= 128),
    CONSTRAINT product_name_length CHECK (length(name) <= 300),
    CONSTRAINT product_category_length CHECK (length(category) <= 200),
    CONSTRAINT product_department_length CHECK (length(department) <= 200),
    CONSTRAINT product_brand_length CHECK (length(brand) <= 200),
    CONSTRAINT product_image_url_length CHECK (length(image_url) <= 1000),
    CONSTRAINT product_currency_length CHECK (length(currency) <= 3),
    CONSTRAINT product_is_active_check CHECK (is_active IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS reservation (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id INTEGER,
    cart_id TEXT NOT NULL,
    state TEXT NOT NULL,
    quote TEXT NOT NULL,
    order_id INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    extended_until_max INTEGER NOT NULL,
    CONSTRAINT reservation_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT reservation_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT reservation_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT reservation_state_check CHECK (state IN ('HELD', 'COMMITTED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'RELEASED', 'EXPIRED')),
    CONSTRAINT reservation_cart_id_length CHECK (length(cart_id) <= 128),
    CONSTRAINT reservation_state_length CHECK (length(state) <= 20)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS reservation_held_member_idx ON reservation (tenant_id, member_id) WHERE state = 'HELD';

CREATE INDEX IF NOT EXISTS reservation_held_cart_idx ON reservation (tenant_id, cart_id) WHERE state = 'HELD';

CREATE TABLE IF NOT EXISTS shop_order (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    member_id INTEGER,
    state TEXT NOT NULL,
    source TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_minor INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL,
    tender_points INTEGER NOT NULL,
    tender_minor INTEGER NOT NULL,
    points_earned INTEGER NOT NULL,
    points_redeemed INTEGER NOT NULL,
    shortfall INTEGER NOT NULL,
    mismatch INTEGER NOT NULL,
    reservation_id INTEGER,
    ruleset_version INTEGER NOT NULL,
    tier TEXT,
    context TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    CONSTRAINT shop_order_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT shop_order_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT shop_order_tenant_id_reservation_id_key UNIQUE (tenant_id, reservation_id),
    CONSTRAINT shop_order_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT shop_order_reservation_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT shop_order_state_check CHECK (state IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'CANCELLED')),
    CONSTRAINT shop_order_currency_check CHECK (length(currency) = 3),
    CONSTRAINT shop_order_total_minor_check CHECK (total_minor >= 0),
    CONSTRAINT shop_order_discount_minor_check CHECK (discount_minor >= 0),
    CONSTRAINT shop_order_tender_points_check CHECK (tender_points >= 0),
    CONSTRAINT shop_order_tender_minor_check CHECK (tender_minor >= 0),
    CONSTRAINT shop_order_points_earned_check CHECK (points_earned >= 0),
    CONSTRAINT shop_order_points_redeemed_check CHECK (points_redeemed >= 0),
    CONSTRAINT shop_order_shortfall_check CHECK (shortfall >= 0),
    CONSTRAINT shop_order_external_id_length CHECK (length(external_id) <= 128),
    CONSTRAINT shop_order_state_length CHECK (length(state) <= 20),
    CONSTRAINT shop_order_source_length CHECK (length(source) <= 64),
    CONSTRAINT shop_order_currency_length CHECK (length(currency) <= 3),
    CONSTRAINT shop_order_mismatch_check CHECK (mismatch IN (0, 1)),
    CONSTRAINT shop_order_tier_length CHECK (length(tier) <= 64)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS shop_order_member_idx ON shop_order (tenant_id, member_id, occurred_at);

CREATE TABLE IF NOT EXISTS order_line (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    line INTEGER NOT NULL,
    product TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL,
    CONSTRAINT order_line_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT order_line_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT order_line_line_check CHECK (line >= 0),
    CONSTRAINT order_line_quantity_check CHECK (quantity >= 0),
    CONSTRAINT order_line_amount_minor_check CHECK (amount_minor >= 0),
    CONSTRAINT order_line_discount_minor_check CHECK (discount_minor >= 0),
    CONSTRAINT order_line_product_length CHECK (length(product) <= 128)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS order_line_order_idx ON order_line (tenant_id, order_id);

CREATE TABLE IF NOT EXISTS order_refund (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    order_external_id TEXT NOT NULL,
    order_id INTEGER,
    state TEXT NOT NULL,
    reason TEXT,
    points_returned INTEGER NOT NULL,
    points_reversed INTEGER NOT NULL,
    shortfall INTEGER NOT NULL,
    money_minor INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    CONSTRAINT order_refund_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT order_refund_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT order_refund_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT order_refund_state_check CHECK (state IN ('WAITING', 'BOOKED')),
    CONSTRAINT order_refund_points_returned_check CHECK (points_returned >= 0),
    CONSTRAINT order_refund_points_reversed_check CHECK (points_reversed >= 0),
    CONSTRAINT order_refund_shortfall_check CHECK (shortfall >= 0),
    CONSTRAINT order_refund_money_minor_check CHECK (money_minor >= 0),
    CONSTRAINT order_refund_external_id_length CHECK (length(external_id) <= 128),
    CONSTRAINT order_refund_order_external_id_length CHECK (length(order_external_id) <= 128),
    CONSTRAINT order_refund_state_length CHECK (length(state) <= 16),
    CONSTRAINT order_refund_reason_length CHECK (length(reason) <= 200)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS order_refund_order_idx ON order_refund (tenant_id, order_external_id);

CREATE TABLE IF NOT EXISTS ledger_transaction (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    order_id INTEGER,
    reservation_id INTEGER,
    refund_id INTEGER,
    reason TEXT,
    ruleset_version INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    booked_at INTEGER NOT NULL,
    hash BLOB NOT NULL,
    CONSTRAINT ledger_transaction_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ledger_transaction_tenant_id_member_id_seq_key UNIQUE (tenant_id, member_id, seq),
    CONSTRAINT ledger_transaction_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_transaction_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_transaction_reservation_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_transaction_refund_fkey FOREIGN KEY (tenant_id, refund_id) REFERENCES order_refund (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_transaction_seq_check CHECK (seq > 0),
    CONSTRAINT ledger_transaction_kind_check CHECK (kind IN ('EARN', 'HOLD', 'REDEEM', 'RELEASE', 'REVERSE', 'RETURN', 'EXPIRE', 'REPAY', 'ADJUST', 'MERGE')),
    CONSTRAINT ledger_transaction_ruleset_version_check CHECK (ruleset_version >= 0),
    CONSTRAINT ledger_transaction_hash_check CHECK (length(hash) = 32),
    CONSTRAINT ledger_transaction_kind_length CHECK (length(kind) <= 16),
    CONSTRAINT ledger_transaction_reason_length CHECK (length(reason) <= 200)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS lot (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    reversed INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    earned_at INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    order_id INTEGER,
    CONSTRAINT lot_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT lot_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT lot_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT lot_amount_check CHECK (amount > 0),
    CONSTRAINT lot_remaining_check CHECK (remaining BETWEEN 0 AND amount),
    CONSTRAINT lot_reversed_check CHECK (reversed BETWEEN 0 AND amount),
    CONSTRAINT lot_expired_check CHECK (expired BETWEEN 0 AND amount - remaining),
    CONSTRAINT lot_unit_length CHECK (length(unit) <= 64)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS lot_member_idx ON lot (tenant_id, member_id, ends_at);

CREATE TABLE IF NOT EXISTS ledger_entry (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    transaction_id INTEGER NOT NULL,
    account TEXT NOT NULL,
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    lot_id INTEGER,
    available_at INTEGER,
    expires_at INTEGER,
    CONSTRAINT ledger_entry_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ledger_entry_transaction_fkey FOREIGN KEY (tenant_id, transaction_id) REFERENCES ledger_transaction (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_entry_lot_fkey FOREIGN KEY (tenant_id, lot_id) REFERENCES lot (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_entry_amount_check CHECK (amount <> 0),
    CONSTRAINT ledger_entry_account_check CHECK (account IN ('MEMBER', 'ISSUED', 'HELD', 'REDEEMED', 'EXPIRED', 'ADJUSTED', 'PARTNER', 'CAUSE')),
    CONSTRAINT ledger_entry_lot_check CHECK (lot_id IS NULL OR account = 'MEMBER'),
    CONSTRAINT ledger_entry_opens_check CHECK (available_at IS NULL OR (lot_id IS NOT NULL AND amount > 0)),
    CONSTRAINT ledger_entry_expires_check CHECK (expires_at IS NULL OR expires_at >= available_at),
    CONSTRAINT ledger_entry_account_length CHECK (length(account) <= 16),
    CONSTRAINT ledger_entry_unit_length CHECK (length(unit) <= 64)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS ledger_entry_transaction_idx ON ledger_entry (tenant_id, transaction_id);

CREATE TABLE IF NOT EXISTS account (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    unit TEXT NOT NULL,
    balance INTEGER NOT NULL,
    deficit INTEGER NOT NULL,
    CONSTRAINT account_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT account_tenant_id_member_id_unit_key UNIQUE (tenant_id, member_id, unit),
    CONSTRAINT account_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT account_deficit_check CHECK (deficit >= 0),
    CONSTRAINT account_balance_check CHECK (balance + deficit >= 0),
    CONSTRAINT account_unit_length CHECK (length(unit) <= 64)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS draw (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    reservation_id INTEGER NOT NULL,
    lot_id INTEGER NOT NULL,
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    returned INTEGER NOT NULL,
    CONSTRAINT draw_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT draw_tenant_id_reservation_id_lot_id_key UNIQUE (tenant_id, reservation_id, lot_id),
    CONSTRAINT draw_reservation_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT draw_lot_fkey FOREIGN KEY (tenant_id, lot_id) REFERENCES lot (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT draw_amount_check CHECK (amount > 0),
    CONSTRAINT draw_returned_check CHECK (returned BETWEEN 0 AND amount),
    CONSTRAINT draw_unit_length CHECK (length(unit) <= 64)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS idempotency (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    client TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    outcome TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT idempotency_tenant_id_key_client_operation_key UNIQUE (tenant_id, key, client, operation),
    CONSTRAINT idempotency_client_length CHECK (length(client) <= 64),
    CONSTRAINT idempotency_operation_length CHECK (length(operation) <= 40),
    CONSTRAINT idempotency_key_length CHECK (length(key) <= 128),
    CONSTRAINT idempotency_body_hash_length CHECK (length(body_hash) <= 64)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    delivery TEXT NOT NULL,
    event TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    outcome TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT inbox_tenant_id_source_delivery_key UNIQUE (tenant_id, source, delivery),
    CONSTRAINT inbox_source_length CHECK (length(source) <= 64),
    CONSTRAINT inbox_delivery_length CHECK (length(delivery) <= 128),
    CONSTRAINT inbox_event_length CHECK (length(event) <= 40),
    CONSTRAINT inbox_body_hash_length CHECK (length(body_hash) <= 64),
    CONSTRAINT inbox_outcome_length CHECK (length(outcome) <= 40)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS import_run (
    id INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    file_hash TEXT NOT NULL,
    rows_done INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    is_complete INTEGER NOT NULL,
    shifted_weeks INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT import_run_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT import_run_tenant_id_kind_file_hash_key UNIQUE (tenant_id, kind, file_hash),
    CONSTRAINT import_run_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT import_run_rows_done_check CHECK (rows_done >= 0),
    CONSTRAINT import_run_accepted_check CHECK (accepted >= 0),
    CONSTRAINT import_run_rejected_check CHECK (rejected >= 0),
    CONSTRAINT import_run_kind_length CHECK (length(kind) <= 20),
    CONSTRAINT import_run_file_hash_length CHECK (length(file_hash) <= 64),
    CONSTRAINT import_run_is_complete_check CHECK (is_complete IN (0, 1))
) STRICT, WITHOUT ROWID;

INSERT INTO id_lease (id, next_node) VALUES (1, 0) ON CONFLICT DO NOTHING;

-- Law 5: what was booked is never changed. INSERT OR REPLACE deletes without waking a delete
-- trigger, so a key that is there already is refused before the insert, in SQLite's own words.

CREATE TRIGGER IF NOT EXISTS ruleset_no_update BEFORE UPDATE ON ruleset BEGIN
    SELECT RAISE(ABORT, 'ruleset is append-only: UPDATE refused');
END;

CREATE TRIGGER IF NOT EXISTS ruleset_no_delete BEFORE DELETE ON ruleset BEGIN
    SELECT RAISE(ABORT, 'ruleset is append-only: DELETE refused');
END;

CREATE TRIGGER IF NOT EXISTS ruleset_no_replace_by_key BEFORE INSERT ON ruleset
WHEN EXISTS (SELECT 1 FROM ruleset WHERE tenant_id = NEW.tenant_id AND id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: ruleset.tenant_id, ruleset.id');
END;

CREATE TRIGGER IF NOT EXISTS ruleset_no_replace_by_version BEFORE INSERT ON ruleset
WHEN EXISTS (SELECT 1 FROM ruleset WHERE tenant_id = NEW.tenant_id AND version = NEW.version) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: ruleset.tenant_id, ruleset.version');
END;

CREATE TRIGGER IF NOT EXISTS tier_change_no_update BEFORE UPDATE ON tier_change BEGIN
    SELECT RAISE(ABORT, 'tier_change is append-only: UPDATE refused');
END;

CREATE TRIGGER IF NOT EXISTS tier_change_no_delete BEFORE DELETE ON tier_change BEGIN
    SELECT RAISE(ABORT, 'tier_change is append-only: DELETE refused');
END;

CREATE TRIGGER IF NOT EXISTS tier_change_no_replace_by_key BEFORE INSERT ON tier_change
WHEN EXISTS (SELECT 1 FROM tier_change WHERE tenant_id = NEW.tenant_id AND id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: tier_change.tenant_id, tier_change.id');
END;

CREATE TRIGGER IF NOT EXISTS ledger_transaction_no_update BEFORE UPDATE ON ledger_transaction BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction is append-only: UPDATE refused');
END;

CREATE TRIGGER IF NOT EXISTS ledger_transaction_no_delete BEFORE DELETE ON ledger_transaction BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction is append-only: DELETE refused');
END;

CREATE TRIGGER IF NOT EXISTS ledger_transaction_no_replace_by_key BEFORE INSERT ON ledger_transaction
WHEN EXISTS (SELECT 1 FROM ledger_transaction WHERE tenant_id = NEW.tenant_id AND id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger_transaction.tenant_id, ledger_transaction.id');
END;

CREATE TRIGGER IF NOT EXISTS ledger_transaction_no_replace_by_member_id_seq BEFORE INSERT ON ledger_transaction
WHEN EXISTS (SELECT 1 FROM ledger_transaction WHERE tenant_id = NEW.tenant_id AND member_id = NEW.member_id AND seq = NEW.seq) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger_transaction.tenant_id, ledger_transaction.member_id, ledger_transaction.seq');
END;

CREATE TRIGGER IF NOT EXISTS ledger_entry_no_update BEFORE UPDATE ON ledger_entry BEGIN
    SELECT RAISE(ABORT, 'ledger_entry is append-only: UPDATE refused');
END;

CREATE TRIGGER IF NOT EXISTS ledger_entry_no_delete BEFORE DELETE ON ledger_entry BEGIN
    SELECT RAISE(ABORT, 'ledger_entry is append-only: DELETE refused');
END;

CREATE TRIGGER IF NOT EXISTS ledger_entry_no_replace_by_key BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE tenant_id = NEW.tenant_id AND id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: ledger_entry.tenant_id, ledger_entry.id');
END;

-- How selective each key is, as ANALYZE would find it in a grown shop. Without it SQLite takes
-- (tenant_id) to be as good as (tenant_id, member_id) and reads a tenant's whole table.
ANALYZE;

DELETE FROM sqlite_stat1;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('ruleset', 'ruleset', '1000000 1000000 1'),
    ('ruleset', 'sqlite_autoindex_ruleset_2', '1000000 1000000 1'),
    ('token_issuer', 'token_issuer', '1000000 1000000 1'),
    ('token_issuer', 'sqlite_autoindex_token_issuer_2', '1000000 1'),
    ('api_key', 'api_key', '1000000 1000000 1'),
    ('api_key', 'sqlite_autoindex_api_key_2', '1000000 1'),
    ('webhook_source', 'webhook_source', '1000000 1000000 1'),
    ('webhook_source', 'sqlite_autoindex_webhook_source_2', '1000000 1'),
    ('member', 'member', '1000000 1000000 1'),
    ('member', 'sqlite_autoindex_member_2', '1000000 1000000 1'),
    ('tier_change', 'tier_change', '1000000 1000000 1'),
    ('tier_change', 'tier_change_member_idx', '1000000 1000000 50 1'),
    ('product', 'product', '1000000 1000000 1'),
    ('product', 'sqlite_autoindex_product_2', '1000000 1000000 1'),
    ('reservation', 'reservation', '1000000 1000000 1'),
    ('reservation', 'reservation_held_member_idx', '1000 1000 1'),
    ('reservation', 'reservation_held_cart_idx', '1000 1000 1'),
    ('shop_order', 'shop_order', '1000000 1000000 1'),
    ('shop_order', 'sqlite_autoindex_shop_order_2', '1000000 1000000 1'),
    ('shop_order', 'sqlite_autoindex_shop_order_3', '1000000 1000000 1'),
    ('shop_order', 'shop_order_member_idx', '1000000 1000000 50 1'),
    ('order_line', 'order_line', '1000000 1000000 1'),
    ('order_line', 'order_line_order_idx', '1000000 1000000 10'),
    ('order_refund', 'order_refund', '1000000 1000000 1'),
    ('order_refund', 'sqlite_autoindex_order_refund_2', '1000000 1000000 1'),
    ('order_refund', 'order_refund_order_idx', '1000000 1000000 1'),
    ('ledger_transaction', 'ledger_transaction', '1000000 1000000 1'),
    ('ledger_transaction', 'sqlite_autoindex_ledger_transaction_2', '1000000 1000000 10 1'),
    ('lot', 'lot', '1000000 1000000 1'),
    ('lot', 'lot_member_idx', '1000000 1000000 50 5'),
    ('ledger_entry', 'ledger_entry', '1000000 1000000 1'),
    ('ledger_entry', 'ledger_entry_transaction_idx', '1000000 1000000 2'),
    ('account', 'account', '1000000 1000000 1'),
    ('account', 'sqlite_autoindex_account_2', '1000000 1000000 10 1'),
    ('draw', 'draw', '1000000 1000000 1'),
    ('draw', 'sqlite_autoindex_draw_2', '1000000 1000000 10 1'),
    ('idempotency', 'idempotency', '1000000 1000000 1'),
    ('idempotency', 'sqlite_autoindex_idempotency_2', '1000000 1000000 10 10 1'),
    ('inbox', 'inbox', '1000000 1000000 1'),
    ('inbox', 'sqlite_autoindex_inbox_2', '1000000 1000000 10 1'),
    ('import_run', 'import_run', '1000000 1000000 1'),
    ('import_run', 'sqlite_autoindex_import_run_2', '1000000 1000000 10 1');
