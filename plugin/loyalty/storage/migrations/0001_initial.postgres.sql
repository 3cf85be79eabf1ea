-- The first schema, on PostgreSQL. Frozen: later changes are later migrations.
-- Every primary, unique and foreign key starts with the tenant, but for four names that are unique
-- everywhere because a caller is recognised by them. Instants are microseconds since 1970.
-- Foreign keys are checked at commit, so that rows may refer to each other in any order.

CREATE TABLE IF NOT EXISTS tenant (
    id INTEGER NOT NULL,
    code VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    ruleset_version INTEGER NOT NULL,
    catalogue_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT tenant_pkey PRIMARY KEY (id),
    CONSTRAINT tenant_code_key UNIQUE (code),
    CONSTRAINT tenant_id_check CHECK (id > 0),
    CONSTRAINT tenant_ruleset_version_check CHECK (ruleset_version >= 0),
    CONSTRAINT tenant_catalogue_version_check CHECK (catalogue_version >= 0)
);

CREATE TABLE IF NOT EXISTS id_lease (
    id INTEGER NOT NULL,
    next_node BIGINT NOT NULL,
    CONSTRAINT id_lease_pkey PRIMARY KEY (id),
    CONSTRAINT id_lease_id_check CHECK (id = 1),
    CONSTRAINT id_lease_next_node_check CHECK (next_node >= 0)
);

CREATE TABLE IF NOT EXISTS ruleset (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    source TEXT NOT NULL,
    hash VARCHAR(64) NOT NULL,
    published_at BIGINT NOT NULL,
    published_by VARCHAR(200) NOT NULL,
    CONSTRAINT ruleset_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ruleset_tenant_id_version_key UNIQUE (tenant_id, version),
    CONSTRAINT ruleset_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ruleset_version_check CHECK (version > 0),
    CONSTRAINT ruleset_id_check CHECK (id = tenant_id * 1000000 + version)
);

CREATE TABLE IF NOT EXISTS token_issuer (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    issuer VARCHAR(200) NOT NULL,
    algorithm VARCHAR(16) NOT NULL,
    public_key TEXT,
    audience VARCHAR(200),
    CONSTRAINT token_issuer_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT token_issuer_issuer_key UNIQUE (issuer),
    CONSTRAINT token_issuer_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE IF NOT EXISTS api_key (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    key_id VARCHAR(32) NOT NULL,
    name VARCHAR(200) NOT NULL,
    secret_hash VARCHAR(64) NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    CONSTRAINT api_key_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT api_key_key_id_key UNIQUE (key_id),
    CONSTRAINT api_key_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE IF NOT EXISTS webhook_source (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    source VARCHAR(64) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    CONSTRAINT webhook_source_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhook_source_source_key UNIQUE (source),
    CONSTRAINT webhook_source_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE IF NOT EXISTS member (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    external_id VARCHAR(128) NOT NULL,
    state VARCHAR(16) NOT NULL,
    version BIGINT NOT NULL,
    name VARCHAR(200),
    email VARCHAR(320),
    locale VARCHAR(35),
    birthday VARCHAR(10),
    consent_email BOOLEAN NOT NULL,
    consent_sms BOOLEAN NOT NULL,
    consent_profiling BOOLEAN NOT NULL,
    consents_at BIGINT,
    profile_at BIGINT,
    joined_at BIGINT NOT NULL,
    state_reason VARCHAR(200),
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    settled_at BIGINT NOT NULL,
    booked_at BIGINT NOT NULL,
    next_change_at BIGINT NOT NULL,
    tier VARCHAR(64) NOT NULL,
    tier_since BIGINT NOT NULL,
    tier_grace_until BIGINT,
    CONSTRAINT member_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT member_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT member_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT member_state_check CHECK (state IN ('PROSPECT', 'ACTIVE', 'SUSPENDED', 'CLOSED', 'ERASED')),
    CONSTRAINT member_version_check CHECK (version >= 1),
    CONSTRAINT member_seq_check CHECK (seq >= 0),
    CONSTRAINT member_hash_check CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS tier_change (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tier_from VARCHAR(64),
    tier_to VARCHAR(64) NOT NULL,
    reason VARCHAR(16) NOT NULL,
    CONSTRAINT tier_change_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT tier_change_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT tier_change_reason_check CHECK (reason IN ('QUALIFIED', 'GRACE_STARTED', 'RENEWED', 'DOWNGRADED'))
);

CREATE INDEX IF NOT EXISTS tier_change_member_idx ON tier_change (tenant_id, member_id, at);

CREATE TABLE IF NOT EXISTS product (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    external_id VARCHAR(128) NOT NULL,
    name VARCHAR(300) NOT NULL,
    category VARCHAR(200),
    department VARCHAR(200),
    brand VARCHAR(200),
    image_url VARCHAR(1000),
    price_minor BIGINT,
    currency VARCHAR(3) NOT NULL,
    cost_minor BIGINT,
    stock BIGINT,
    tiers TEXT NOT NULL,
    invented TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT product_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT product_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT product_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT product_currency_check CHECK (length(currency) = 3),
    CONSTRAINT product_price_minor_check CHECK (price_minor >= 0),
    CONSTRAINT product_cost_minor_check CHECK (cost_minor >= 0),
    CONSTRAINT product_stock_check CHECK (stock >= 0)
);

CREATE TABLE IF NOT EXISTS reservation (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id BIGINT,
    cart_id VARCHAR(128) NOT NULL,
    state VARCHAR(20) NOT NULL,
    quote TEXT NOT NULL,
    order_id BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    extended_until_max BIGINT NOT NULL,
    CONSTRAINT reservation_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT reservation_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT reservation_state_check CHECK (state IN ('HELD', 'COMMITTED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'RELEASED', 'EXPIRED'))
) WITH (fillfactor = 80);

CREATE INDEX IF NOT EXISTS reservation_held_member_idx ON reservation (tenant_id, member_id) WHERE state = 'HELD';

CREATE INDEX IF NOT EXISTS reservation_held_cart_idx ON reservation (tenant_id, cart_id) WHERE state = 'HELD';

CREATE TABLE IF NOT EXISTS shop_order (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    external_id VARCHAR(128) NOT NULL,
    member_id BIGINT,
    state VARCHAR(20) NOT NULL,
    source VARCHAR(64) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    total_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL,
    tender_points BIGINT NOT NULL,
    tender_minor BIGINT NOT NULL,
    points_earned BIGINT NOT NULL,
    points_redeemed BIGINT NOT NULL,
    shortfall BIGINT NOT NULL,
    mismatch BOOLEAN NOT NULL,
    reservation_id BIGINT,
    ruleset_version INTEGER NOT NULL,
    tier VARCHAR(64),
    context TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    booked_at BIGINT NOT NULL,
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
    CONSTRAINT shop_order_shortfall_check CHECK (shortfall >= 0)
);

CREATE INDEX IF NOT EXISTS shop_order_member_idx ON shop_order (tenant_id, member_id, occurred_at);

CREATE TABLE IF NOT EXISTS order_line (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    order_id BIGINT NOT NULL,
    line INTEGER NOT NULL,
    product VARCHAR(128) NOT NULL,
    quantity INTEGER NOT NULL,
    amount_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL,
    CONSTRAINT order_line_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT order_line_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT order_line_line_check CHECK (line >= 0),
    CONSTRAINT order_line_quantity_check CHECK (quantity >= 0),
    CONSTRAINT order_line_amount_minor_check CHECK (amount_minor >= 0),
    CONSTRAINT order_line_discount_minor_check CHECK (discount_minor >= 0)
);

CREATE INDEX IF NOT EXISTS order_line_order_idx ON order_line (tenant_id, order_id);

CREATE TABLE IF NOT EXISTS order_refund (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    external_id VARCHAR(128) NOT NULL,
    order_external_id VARCHAR(128) NOT NULL,
    order_id BIGINT,
    state VARCHAR(16) NOT NULL,
    reason VARCHAR(200),
    points_returned BIGINT NOT NULL,
    points_reversed BIGINT NOT NULL,
    shortfall BIGINT NOT NULL,
    money_minor BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    booked_at BIGINT NOT NULL,
    CONSTRAINT order_refund_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT order_refund_tenant_id_external_id_key UNIQUE (tenant_id, external_id),
    CONSTRAINT order_refund_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT order_refund_state_check CHECK (state IN ('WAITING', 'BOOKED')),
    CONSTRAINT order_refund_points_returned_check CHECK (points_returned >= 0),
    CONSTRAINT order_refund_points_reversed_check CHECK (points_reversed >= 0),
    CONSTRAINT order_refund_shortfall_check CHECK (shortfall >= 0),
    CONSTRAINT order_refund_money_minor_check CHECK (money_minor >= 0)
);

CREATE INDEX IF NOT EXISTS order_refund_order_idx ON order_refund (tenant_id, order_external_id);

CREATE TABLE IF NOT EXISTS ledger_transaction (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    order_id BIGINT,
    reservation_id BIGINT,
    refund_id BIGINT,
    reason VARCHAR(200),
    ruleset_version INTEGER NOT NULL,
    effective_at BIGINT NOT NULL,
    booked_at BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT ledger_transaction_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ledger_transaction_tenant_id_member_id_seq_key UNIQUE (tenant_id, member_id, seq),
    CONSTRAINT ledger_transaction_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_transaction_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_transaction_reservation_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_transaction_refund_fkey FOREIGN KEY (tenant_id, refund_id) REFERENCES order_refund (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_transaction_seq_check CHECK (seq > 0),
    CONSTRAINT ledger_transaction_kind_check CHECK (kind IN ('EARN', 'HOLD', 'REDEEM', 'RELEASE', 'REVERSE', 'RETURN', 'EXPIRE', 'REPAY', 'ADJUST', 'MERGE')),
    CONSTRAINT ledger_transaction_ruleset_version_check CHECK (ruleset_version >= 0),
    CONSTRAINT ledger_transaction_hash_check CHECK (octet_length(hash) = 32)
);

CREATE TABLE IF NOT EXISTS lot (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id BIGINT NOT NULL,
    unit VARCHAR(64) NOT NULL,
    amount BIGINT NOT NULL,
    remaining BIGINT NOT NULL,
    reversed BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    earned_at BIGINT NOT NULL,
    available_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    order_id BIGINT,
    CONSTRAINT lot_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT lot_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT lot_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT lot_amount_check CHECK (amount > 0),
    CONSTRAINT lot_remaining_check CHECK (remaining BETWEEN 0 AND amount),
    CONSTRAINT lot_reversed_check CHECK (reversed BETWEEN 0 AND amount),
    CONSTRAINT lot_expired_check CHECK (expired BETWEEN 0 AND amount - remaining)
) WITH (fillfactor = 80);

CREATE INDEX IF NOT EXISTS lot_member_idx ON lot (tenant_id, member_id, ends_at);

CREATE TABLE IF NOT EXISTS ledger_entry (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    transaction_id BIGINT NOT NULL,
    account VARCHAR(16) NOT NULL,
    unit VARCHAR(64) NOT NULL,
    amount BIGINT NOT NULL,
    lot_id BIGINT,
    available_at BIGINT,
    expires_at BIGINT,
    CONSTRAINT ledger_entry_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ledger_entry_transaction_fkey FOREIGN KEY (tenant_id, transaction_id) REFERENCES ledger_transaction (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_entry_lot_fkey FOREIGN KEY (tenant_id, lot_id) REFERENCES lot (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ledger_entry_amount_check CHECK (amount <> 0),
    CONSTRAINT ledger_entry_account_check CHECK (account IN ('MEMBER', 'ISSUED', 'HELD', 'REDEEMED', 'EXPIRED', 'ADJUSTED', 'PARTNER', 'CAUSE')),
    CONSTRAINT ledger_entry_lot_check CHECK (lot_id IS NULL OR account = 'MEMBER'),
    CONSTRAINT ledger_entry_opens_check CHECK (available_at IS NULL OR (lot_id IS NOT NULL AND amount > 0)),
    CONSTRAINT ledger_entry_expires_check CHECK (expires_at IS NULL OR expires_at >= available_at)
);

CREATE INDEX IF NOT EXISTS ledger_entry_transaction_idx ON ledger_entry (tenant_id, transaction_id);

CREATE TABLE IF NOT EXISTS account (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    member_id BIGINT NOT NULL,
    unit VARCHAR(64) NOT NULL,
    balance BIGINT NOT NULL,
    deficit BIGINT NOT NULL,
    CONSTRAINT account_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT account_tenant_id_member_id_unit_key UNIQUE (tenant_id, member_id, unit),
    CONSTRAINT account_member_fkey FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT account_deficit_check CHECK (deficit >= 0),
    CONSTRAINT account_balance_check CHECK (balance + deficit >= 0)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS draw (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    reservation_id BIGINT NOT NULL,
    lot_id BIGINT NOT NULL,
    unit VARCHAR(64) NOT NULL,
    amount BIGINT NOT NULL,
    returned BIGINT NOT NULL,
    CONSTRAINT draw_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT draw_tenant_id_reservation_id_lot_id_key UNIQUE (tenant_id, reservation_id, lot_id),
    CONSTRAINT draw_reservation_fkey FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservation (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT draw_lot_fkey FOREIGN KEY (tenant_id, lot_id) REFERENCES lot (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT draw_amount_check CHECK (amount > 0),
    CONSTRAINT draw_returned_check CHECK (returned BETWEEN 0 AND amount)
);

CREATE TABLE IF NOT EXISTS idempotency (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    client VARCHAR(64) NOT NULL,
    operation VARCHAR(40) NOT NULL,
    key VARCHAR(128) NOT NULL,
    body_hash VARCHAR(64) NOT NULL,
    outcome TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT idempotency_tenant_id_key_client_operation_key UNIQUE (tenant_id, key, client, operation)
);

CREATE TABLE IF NOT EXISTS inbox (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    source VARCHAR(64) NOT NULL,
    delivery VARCHAR(128) NOT NULL,
    event VARCHAR(40) NOT NULL,
    body_hash VARCHAR(64) NOT NULL,
    outcome VARCHAR(40) NOT NULL,
    received_at BIGINT NOT NULL,
    CONSTRAINT inbox_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT inbox_tenant_id_source_delivery_key UNIQUE (tenant_id, source, delivery)
);

CREATE TABLE IF NOT EXISTS import_run (
    id BIGINT NOT NULL,
    tenant_id INTEGER NOT NULL,
    kind VARCHAR(20) NOT NULL,
    file_hash VARCHAR(64) NOT NULL,
    rows_done BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    is_complete BOOLEAN NOT NULL,
    shifted_weeks INTEGER NOT NULL,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT import_run_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT import_run_tenant_id_kind_file_hash_key UNIQUE (tenant_id, kind, file_hash),
    CONSTRAINT import_run_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT import_run_rows_done_check CHECK (rows_done >= 0),
    CONSTRAINT import_run_accepted_check CHECK (accepted >= 0),
    CONSTRAINT import_run_rejected_check CHECK (rejected >= 0)
);

ALTER TABLE reservation
    DROP CONSTRAINT IF EXISTS reservation_order_fkey,
    ADD CONSTRAINT reservation_order_fkey FOREIGN KEY (tenant_id, order_id) REFERENCES shop_order (tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

INSERT INTO id_lease (id, next_node) VALUES (1, 0) ON CONFLICT DO NOTHING;

-- Law 5: what was booked is never changed. A statement that would is refused even where it
-- meets no row, also in a session that plays replica.
CREATE OR REPLACE FUNCTION loyalty_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE OR REPLACE TRIGGER ruleset_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ruleset
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_append_only();

ALTER TABLE ruleset ENABLE ALWAYS TRIGGER ruleset_append_only;

CREATE OR REPLACE TRIGGER tier_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tier_change
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_append_only();

ALTER TABLE tier_change ENABLE ALWAYS TRIGGER tier_change_append_only;

CREATE OR REPLACE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_append_only();

ALTER TABLE ledger_transaction ENABLE ALWAYS TRIGGER ledger_transaction_append_only;

CREATE OR REPLACE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_append_only();

ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_append_only;
