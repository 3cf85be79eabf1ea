"""Statements that reach what erasing a member takes away and that is not in the member's rows."""

from loyalty.storage.statements import Sql

# What a shop told of orders that never came may be about anybody.
ORDERS_AWAITED = Sql(
    """SELECT DISTINCT order_external_id FROM order_refund
        WHERE tenant_id = $1 AND state = 'WAITING'"""
)
ORDERS_OF = Sql(
    """SELECT external_id FROM shop_order
        WHERE tenant_id = $1 AND member_id = ANY($2::bigint[])"""
)
# A code in quotation marks, as JSON has it, where it was used or offered while its member was
# part of another: orders stay with whom they were refunded for when the two are parted.
_TARGETS = (
    "SELECT target_id FROM member_merge WHERE tenant_id = $1 AND source_id = ANY($3::bigint[])"
)
_USED = "SELECT reservation_id FROM quota_use WHERE tenant_id = $1 AND quota_id = $2"
RECODE_ORDERS = Sql(
    f"""UPDATE shop_order SET context = REPLACE(context, $4, $5)
         WHERE tenant_id = $1 AND (reservation_id IN ({_USED}) OR member_id IN ({_TARGETS}))"""
)
RECODE_QUOTES = Sql(
    f"""UPDATE reservation SET quote = REPLACE(quote, $4, $5)
         WHERE tenant_id = $1 AND (id IN ({_USED}) OR member_id IN ({_TARGETS}))"""
)
IMPORTS_TO_CHECK = Sql(
    """SELECT kind, started_at, rejected FROM import_run
        WHERE tenant_id = $1 AND kind <> 'products' AND rejected > 0 ORDER BY id"""
)
