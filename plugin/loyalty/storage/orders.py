"""Statements that read orders and refunds for display."""

from loyalty.storage.checkout import ORDER_COLUMNS
from loyalty.storage.statements import Sql

OF_MEMBER = Sql(
    f"""SELECT {", ".join(ORDER_COLUMNS)} FROM shop_order
         WHERE tenant_id = $1 AND member_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"""
)
REFUND = Sql(
    """SELECT r.id, r.external_id, r.state, r.points_returned, r.points_reversed, r.shortfall,
              r.money_minor, o.currency
         FROM order_refund r
         JOIN shop_order o ON o.tenant_id = r.tenant_id AND o.id = r.order_id
        WHERE r.tenant_id = $1 AND r.id = $2"""
)
