"""Statements that list reservations."""

from loyalty.storage.statements import Sql

LISTED_COLUMNS = (
    "id", "cart_id", "state", "quote", "created_at", "expires_at", "member", "order",
)  # fmt: skip
# By the clock: what is held past its time has expired, whether or not anybody settled it.
LISTED = Sql(
    """SELECT r.id, r.cart_id, r.state, r.quote, r.created_at, r.expires_at,
              CASE WHEN m.state <> 'ERASED' THEN m.external_id END, o.external_id
         FROM reservation r
         LEFT JOIN member m ON m.tenant_id = r.tenant_id AND m.id = r.member_id
         LEFT JOIN shop_order o ON o.tenant_id = r.tenant_id AND o.id = r.order_id
        WHERE r.tenant_id = $1 AND r.id < $2
          AND ($3::text IS NULL OR m.external_id = $3)
          AND ($4::text IS NULL OR $4 = CASE WHEN r.state = 'HELD' AND r.expires_at <= $5
                                             THEN 'EXPIRED' ELSE r.state END)
        ORDER BY r.id DESC LIMIT $6"""
)
