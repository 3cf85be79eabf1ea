"""What a proof of one entry reads."""

from loyalty.storage.statements import Sql

TRANSACTION_OF = Sql("SELECT transaction_id FROM ledger_entry WHERE tenant_id = $1 AND id = $2")
FIRST_ENTRY = Sql("SELECT MIN(id) FROM ledger_entry WHERE tenant_id = $1 AND transaction_id = $2")
PLACE = Sql(
    """SELECT member_id, seq, booked_at FROM ledger_transaction
        WHERE tenant_id = $1 AND id = $2"""
)
HASH = Sql(
    """SELECT hash FROM ledger_transaction
        WHERE tenant_id = $1 AND member_id = $2 AND seq = $3"""
)
LINKS = Sql(
    """SELECT id, member_id, seq, kind, order_id, reservation_id, refund_id, ruleset_version,
              effective_at, booked_at, hash
         FROM ledger_transaction
        WHERE tenant_id = $1 AND member_id = $2 AND seq >= $3 AND booked_at < $4 ORDER BY seq"""
)
ENTRIES = Sql(
    """SELECT $2::bigint, e.id, e.transaction_id, e.account, e.unit, e.amount, e.lot_id,
              e.available_at, e.expires_at
         FROM ledger_entry e
        WHERE e.tenant_id = $1 AND e.transaction_id = ANY($3::bigint[])
        ORDER BY e.transaction_id, e.id"""
)
