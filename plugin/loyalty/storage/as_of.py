"""Statements that read all that ever happened to one holder, for a look into its past."""

from loyalty.storage.statements import Sql

STANDING = Sql(
    """SELECT tier, tier_since, tier_grace_until, settled_at FROM member
        WHERE tenant_id = $1 AND id = $2"""
)
TRANSACTIONS = Sql(
    """SELECT id, kind, reservation_id, order_id, effective_at, booked_at FROM ledger_transaction
        WHERE tenant_id = $1 AND member_id = $2 ORDER BY seq"""
)
# Points that an older version took back have no row: what is missing counts from the beginning.
REVERSED = Sql("SELECT id, reversed FROM lot WHERE tenant_id = $1 AND member_id = $2")
REVERSALS = Sql(
    """SELECT r.lot_id, r.amount, r.effective_at, r.booked_at
         FROM lot l JOIN lot_reversal r ON r.tenant_id = l.tenant_id AND r.lot_id = l.id
        WHERE l.tenant_id = $1 AND l.member_id = $2"""
)
STEPS = Sql(
    """SELECT at, booked_at, tier_from, tier_to, reason, since_from, grace_until FROM tier_change
        WHERE tenant_id = $1 AND member_id = $2 ORDER BY at, id"""
)
HOLDS_END = Sql(
    """SELECT DISTINCT r.id, r.expires_at FROM draw d
         JOIN reservation r ON r.tenant_id = d.tenant_id AND r.id = d.reservation_id
        WHERE d.tenant_id = $1 AND d.holder_id = $2 AND d.state = 'HELD'"""
)
VERSION_AT = Sql(
    """SELECT COALESCE(MAX(CASE WHEN published_at <= $2 THEN version END), MIN(version))
         FROM ruleset WHERE tenant_id = $1"""
)
