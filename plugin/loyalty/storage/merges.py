"""Statements that read what a merge of two members moves, under their locks."""

from loyalty.storage.statements import Sql

# Everybody who is one person: a member, and those merged into it.
GROUP = Sql(
    """SELECT m.id FROM member m
         JOIN member n ON n.tenant_id = m.tenant_id
                      AND m.id = COALESCE(n.merged_into, n.id)
        WHERE m.tenant_id = $1 AND n.external_id = ANY($2::text[])
        UNION
       SELECT m.id FROM member m
         JOIN member n ON n.tenant_id = m.tenant_id
                      AND m.merged_into = COALESCE(n.merged_into, n.id)
        WHERE m.tenant_id = $1 AND n.external_id = ANY($2::text[])"""
)
NAMES = Sql(
    """SELECT id, external_id, state, merged_into FROM member
        WHERE tenant_id = $1 AND id = ANY($2::bigint[]) ORDER BY id"""
)
# Whom names answer for that are no member's own, or no longer.
ALIASES = Sql(
    """SELECT external_id, id, merged_into FROM member
        WHERE tenant_id = $1 AND external_id = ANY($2::text[])"""
)
LOTS = Sql(
    """SELECT l.member_id, l.id, l.unit, l.amount, l.remaining, l.reversed, l.expired,
              l.earned_at, l.available_at, l.ends_at, l.order_id
         FROM lot l WHERE l.tenant_id = $1 AND l.member_id = ANY($2::bigint[])"""
)
ORDER_COLUMNS = ("id", "reservation_id", "context", "refunds")
ORDERS_OF = Sql(
    f"""SELECT {", ".join(ORDER_COLUMNS)} FROM shop_order
         WHERE tenant_id = $1 AND member_id = $2 ORDER BY id"""
)
RESERVATIONS_OF = Sql(
    """SELECT id, state, order_id, quote FROM reservation
        WHERE tenant_id = $1 AND member_id = ANY($2::bigint[]) ORDER BY id"""
)
DRAWS_OF = Sql(
    """SELECT d.id, d.reservation_id, d.lot_id, d.holder_id FROM draw d
         JOIN reservation r ON r.tenant_id = d.tenant_id AND r.id = d.reservation_id
        WHERE r.tenant_id = $1 AND r.member_id = $2 ORDER BY d.id"""
)
USES_OF = Sql(
    """SELECT u.id, u.reservation_id, u.state FROM quota_use u
         JOIN reservation r ON r.tenant_id = u.tenant_id AND r.id = u.reservation_id
        WHERE r.tenant_id = $1 AND r.member_id = $2 ORDER BY u.id"""
)
CODES_OF = Sql("SELECT id, code FROM coupon WHERE tenant_id = $1 AND member_id = ANY($2::bigint[])")
COUPONS_OF = Sql("SELECT id FROM coupon WHERE tenant_id = $1 AND member_id = $2 ORDER BY id")
OFFERS_OF = Sql("SELECT id FROM member_offer WHERE tenant_id = $1 AND member_id = $2 ORDER BY id")
PROPOSALS_OF = Sql(
    """SELECT id FROM adjustment
        WHERE tenant_id = $1 AND member_id = $2 AND state = 'PROPOSED' ORDER BY id"""
)
# Merges of a member into others and of others into it, while they last.
MERGES_OF = Sql(
    """SELECT id, source_id, target_id, moved FROM member_merge
        WHERE tenant_id = $1 AND source_id = $2 AND state = 'MERGED'
        UNION ALL
       SELECT id, source_id, target_id, moved FROM member_merge
        WHERE tenant_id = $1 AND target_id = $2 AND state = 'MERGED'"""
)
