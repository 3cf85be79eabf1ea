"""Statements about reservations, orders, refunds and idempotency keys."""

from loyalty.storage.statements import Sql

RESERVATION_COLUMNS = (
    "id", "member_id", "cart_id", "state", "quote", "order_id", "created_at", "expires_at",
    "extended_until_max", "has_uses",
)  # fmt: skip
_RESERVATION = """id, member_id, cart_id, state, quote, order_id, created_at, expires_at,
       extended_until_max, EXISTS (
         SELECT 1 FROM quota_use u
          WHERE u.tenant_id = reservation.tenant_id AND u.reservation_id = reservation.id)
  FROM reservation"""
RESERVATIONS = Sql(f"SELECT {_RESERVATION} WHERE tenant_id = $1 AND id = ANY($2::bigint[])")
OPEN_CARTS = Sql(
    f"""SELECT {_RESERVATION}
         WHERE tenant_id = $1 AND cart_id = ANY($2::text[]) AND state = 'HELD'"""
)
OPEN_OF_CART = Sql(
    """SELECT id, member_id FROM reservation
        WHERE tenant_id = $1 AND cart_id = $2 AND state = 'HELD'"""
)
OPEN_OF_MEMBERS = Sql(
    f"""SELECT {_RESERVATION}
         WHERE tenant_id = $1 AND member_id = ANY($2::bigint[]) AND state = 'HELD'"""
)
DRAW_COLUMNS = ("id", "reservation_id", "lot_id", "holder_id", "unit", "amount", "returned")
DRAWS = Sql(
    f"""SELECT {", ".join(DRAW_COLUMNS)} FROM draw
         WHERE tenant_id = $1 AND reservation_id = ANY($2::bigint[]) ORDER BY id"""
)
ORDER_COLUMNS = (
    "id", "external_id", "member_id", "state", "source", "currency", "total_minor",
    "discount_minor", "tender_points", "tender_minor", "points_earned", "points_redeemed",
    "shortfall", "mismatch", "reservation_id", "ruleset_version", "tier", "context",
    "occurred_at", "booked_at", "refunds", "credit_minor", "gift_minor", "tax_minor",
)  # fmt: skip
ORDERS = Sql(
    f"""SELECT {", ".join(ORDER_COLUMNS)} FROM shop_order
         WHERE tenant_id = $1 AND external_id = ANY($2::text[])"""
)
ORDERS_BY_ID = Sql(
    f"""SELECT {", ".join(ORDER_COLUMNS)} FROM shop_order
         WHERE tenant_id = $1 AND id = ANY($2::bigint[])"""
)
ORDER_LINES = Sql(
    """SELECT order_id, product, quantity, amount_minor, discount_minor FROM order_line
        WHERE tenant_id = $1 AND order_id = ANY($2::bigint[]) ORDER BY order_id, line"""
)
REFUND_COLUMNS = (
    "id", "external_id", "order_external_id", "order_id", "state", "reason", "points_returned",
    "points_reversed", "shortfall", "money_minor", "credit_minor", "gift_minor", "kind", "lines",
    "booked", "occurred_at", "booked_at",
)  # fmt: skip
REFUNDS = Sql(
    f"""SELECT {", ".join(REFUND_COLUMNS)} FROM order_refund
         WHERE tenant_id = $1 AND external_id = ANY($2::text[])"""
)
REFUNDS_WAITING = Sql(
    f"""SELECT {", ".join(REFUND_COLUMNS)} FROM order_refund
         WHERE tenant_id = $1 AND order_external_id = ANY($2::text[]) AND state = 'WAITING'
         ORDER BY occurred_at, external_id"""
)
REFUNDS_BOOKED = Sql(
    f"""SELECT {", ".join(REFUND_COLUMNS)} FROM order_refund
         WHERE tenant_id = $1 AND order_external_id = ANY($2::text[]) AND state = 'BOOKED'
         ORDER BY booked_at, id"""
)
KEYS = Sql(
    """SELECT client, operation, key, body_hash, outcome FROM idempotency
        WHERE tenant_id = $1 AND key = ANY($2::text[])"""
)
