"""Statements that read orders and refunds for display."""

from loyalty.storage.checkout import ORDER_COLUMNS, REFUND_COLUMNS
from loyalty.storage.statements import Sql

OF_MEMBER = Sql(
    f"""SELECT {", ".join(ORDER_COLUMNS)} FROM shop_order
         WHERE tenant_id = $1 AND member_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"""
)
REFUND = Sql(
    f"""SELECT {", ".join(REFUND_COLUMNS)} FROM order_refund
         WHERE tenant_id = $1 AND id = $2 AND order_id IS NOT NULL"""
)
