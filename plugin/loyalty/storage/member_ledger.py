"""Statements that read a member's ledger as it was booked."""

from loyalty.storage.statements import Sql

TRANSACTION_COLUMNS = (
    "id", "seq", "kind", "order_id", "order_external_id", "refund_id", "refund_external_id",
    "reservation_id", "adjustment_id", "ruleset_version", "effective_at", "booked_at", "hash",
    "client", "idempotency_key", "reason",
)  # fmt: skip
_PAGE = """SELECT t.id, t.seq, t.kind, t.order_id, o.external_id, t.refund_id, r.external_id,
              t.reservation_id, a.id, t.ruleset_version, t.effective_at, t.booked_at, t.hash,
              n.client, n.idempotency_key, n.reason
         FROM ledger_transaction t
         LEFT JOIN shop_order o ON o.tenant_id = t.tenant_id AND o.id = t.order_id
         LEFT JOIN order_refund r ON r.tenant_id = t.tenant_id AND r.id = t.refund_id
         LEFT JOIN transaction_note n ON n.tenant_id = t.tenant_id AND n.id = t.id
         LEFT JOIN adjustment a ON a.tenant_id = t.tenant_id AND a.member_id = t.member_id
               AND a.transaction_id = t.id
        WHERE t.tenant_id = $1 AND t.member_id = $2 AND t.seq > $3 AND t.seq < $4
          AND ($5::text IS NULL OR EXISTS (
                SELECT 1 FROM ledger_entry e
                 WHERE e.tenant_id = t.tenant_id AND e.transaction_id = t.id AND e.unit = $5))"""
OLDEST_FIRST = Sql(f"{_PAGE} ORDER BY t.seq LIMIT $6")
NEWEST_FIRST = Sql(f"{_PAGE} ORDER BY t.seq DESC LIMIT $6")
ENTRIES = Sql(
    """SELECT e.transaction_id, e.id, e.account, e.unit, e.amount, e.lot_id,
              e.available_at IS NOT NULL, l.amount, l.available_at, l.ends_at
         FROM ledger_entry e
         LEFT JOIN lot l ON l.tenant_id = e.tenant_id AND l.id = e.lot_id
        WHERE e.tenant_id = $1 AND e.transaction_id = ANY($2::bigint[])
        ORDER BY e.transaction_id, e.id"""
)
# What each account had come to before the page: its place in the account, balance and held.
BEFORE = Sql(
    """SELECT e.unit, COUNT(DISTINCT t.id),
              SUM(CASE WHEN e.account = 'MEMBER' THEN e.amount ELSE 0 END)::bigint,
              SUM(CASE WHEN e.account = 'HELD' THEN e.amount ELSE 0 END)::bigint
         FROM ledger_transaction t
         JOIN ledger_entry e ON e.tenant_id = t.tenant_id AND e.transaction_id = t.id
        WHERE t.tenant_id = $1 AND t.member_id = $2 AND t.seq < $3 GROUP BY e.unit"""
)
