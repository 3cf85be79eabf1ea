"""Statements that read the whole ledger of a tenant in pages, for checking it."""

from loyalty.storage.statements import Sql

MEMBERS = Sql(
    """SELECT id, seq, hash, kind FROM member
        WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"""
)
TRANSACTIONS = Sql(
    """SELECT id, member_id, seq, kind, order_id, reservation_id, refund_id, ruleset_version,
              effective_at, booked_at, hash
         FROM ledger_transaction WHERE tenant_id = $1 AND member_id = ANY($2::bigint[])
        ORDER BY member_id, seq"""
)
ENTRIES = Sql(
    """SELECT t.member_id, e.id, e.transaction_id, e.account, e.unit, e.amount, e.lot_id,
              e.available_at, e.expires_at
         FROM ledger_entry e
         JOIN ledger_transaction t ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id
        WHERE t.tenant_id = $1 AND t.member_id = ANY($2::bigint[])
        ORDER BY e.transaction_id, e.id"""
)
LOTS = Sql(
    """SELECT member_id, id, unit, amount, remaining, reversed, expired, available_at, ends_at
         FROM lot WHERE tenant_id = $1 AND member_id = ANY($2::bigint[])"""
)
ACCOUNTS = Sql(
    """SELECT member_id, unit, balance, deficit FROM account
        WHERE tenant_id = $1 AND member_id = ANY($2::bigint[])"""
)
HELD = Sql(
    """SELECT holder_id, unit, SUM(amount) FROM draw
        WHERE tenant_id = $1 AND holder_id = ANY($2::bigint[]) AND state = 'HELD'
        GROUP BY holder_id, unit"""
)
ORPHANS = Sql(
    """SELECT COUNT(*) FROM ledger_entry e
        WHERE e.tenant_id = $1 AND NOT EXISTS (
          SELECT 1 FROM ledger_transaction t
           WHERE t.tenant_id = e.tenant_id AND t.id = e.transaction_id)"""
)
ORDERS = Sql(
    """SELECT member_id, id, state, points_redeemed, credit_minor, reservation_id, context,
              refunds
         FROM shop_order WHERE tenant_id = $1 AND member_id = ANY($2::bigint[])"""
)
# Who was ever merged with one of these members.
RELATIVES = Sql(
    """SELECT source_id, target_id FROM member_merge
        WHERE tenant_id = $1 AND source_id = ANY($2::bigint[])
       UNION ALL
       SELECT source_id, target_id FROM member_merge
        WHERE tenant_id = $1 AND target_id = ANY($2::bigint[])"""
)
# What was redeemed and given back in one member's chain for an order that is another's by now.
# What gift cards paid stands in their own holders' ledgers.
SPENT_ELSEWHERE = Sql(
    """SELECT t.member_id, o.member_id, o.id, t.kind, t.reservation_id, e.unit, SUM(e.amount)
         FROM ledger_transaction t
         JOIN shop_order o ON o.tenant_id = t.tenant_id AND o.id = t.order_id
         JOIN ledger_entry e ON e.tenant_id = t.tenant_id AND e.transaction_id = t.id
        WHERE t.tenant_id = $1 AND t.member_id = ANY($2::bigint[])
          AND t.kind IN ('REDEEM', 'RETURN') AND e.account = 'REDEEMED'
          AND o.member_id <> t.member_id AND e.unit NOT LIKE 'gift:%'
        GROUP BY t.id, t.member_id, o.member_id, o.id, t.kind, t.reservation_id, e.unit
        ORDER BY t.id"""
)
# A reservation that is spent names an order in the state that it is in itself; any other, none.
RESERVATIONS_WRONG = Sql(
    """SELECT r.id, r.state, r.order_id, o.state FROM reservation r
         LEFT JOIN shop_order o ON o.tenant_id = r.tenant_id AND o.id = r.order_id
        WHERE r.tenant_id = $1 AND NOT COALESCE(
          CASE r.state WHEN 'COMMITTED' THEN o.state = 'PAID'
                       WHEN 'PARTIALLY_REFUNDED' THEN o.state = 'PARTIALLY_REFUNDED'
                       WHEN 'REFUNDED' THEN o.state IN ('REFUNDED', 'CANCELLED')
                       ELSE r.order_id IS NULL END, FALSE)
        ORDER BY r.id LIMIT $2"""
)
# What gift cards paid for an order stands in their own holders' ledgers.
GIFTS_WRONG = Sql(
    """SELECT o.id, o.gift_minor, g.paid FROM shop_order o
         LEFT JOIN (
           SELECT t.order_id, SUM(e.amount) AS paid FROM ledger_transaction t
             JOIN ledger_entry e ON e.tenant_id = t.tenant_id AND e.transaction_id = t.id
             JOIN member m ON m.tenant_id = t.tenant_id AND m.id = t.member_id
            WHERE t.tenant_id = $1 AND m.kind = 'GIFT_CARD' AND t.kind = 'REDEEM'
              AND e.account = 'REDEEMED'
            GROUP BY t.order_id) AS g ON g.order_id = o.id
        WHERE o.tenant_id = $1 AND o.gift_minor <> COALESCE(g.paid, 0) ORDER BY o.id LIMIT $2"""
)
ORDERS_WRONG = Sql(
    """SELECT o.id, o.reservation_id FROM shop_order o
         LEFT JOIN reservation r ON r.tenant_id = o.tenant_id AND r.id = o.reservation_id
        WHERE o.tenant_id = $1 AND o.reservation_id IS NOT NULL
          AND (COALESCE(r.order_id, 0) <> o.id
               OR COALESCE(r.member_id, 0) <> COALESCE(o.member_id, 0))
        ORDER BY o.id LIMIT $2"""
)
REFUNDS_OVERLOOKED = Sql(
    """SELECT f.id, o.id FROM order_refund f
         JOIN shop_order o ON o.tenant_id = f.tenant_id AND o.external_id = f.order_external_id
        WHERE f.tenant_id = $1 AND f.state = 'WAITING' ORDER BY f.id LIMIT $2"""
)
