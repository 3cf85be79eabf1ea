"""Statements that find what orders owe to recommendations."""

from typing import Final

from loyalty.storage.statements import Sql

PROGRESS = Sql("SELECT attributed_until FROM tenant WHERE id = $1")
OLDEST_EVENT = Sql(
    """SELECT booked_at FROM recommendation_event WHERE tenant_id = $1 AND id > 0
        ORDER BY id LIMIT 1"""
)
OLDEST_PURCHASE = Sql(
    """SELECT booked_at FROM recommendation_purchase WHERE tenant_id = $1 AND id > 0
        ORDER BY id LIMIT 1"""
)
DONE_UNTIL = Sql(
    """UPDATE tenant SET attributed_until = $2 WHERE id = $1 AND attributed_until < $2
       RETURNING id"""
)

# Ids carry the time of booking, so a page by id is a page of what came since.
ORDERS_SINCE = Sql(
    "SELECT id FROM shop_order WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"
)
EVENTS_SINCE = Sql(
    """SELECT id, member_id, occurred_at FROM recommendation_event
        WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"""
)
PURCHASES_SINCE = Sql(
    """SELECT id, order_external_id FROM recommendation_purchase WHERE tenant_id = $1 AND id > $2
        ORDER BY id LIMIT $3"""
)
ORDERS_NAMED = Sql(
    "SELECT id FROM shop_order WHERE tenant_id = $1 AND external_id = ANY($2::text[])"
)
MERGED = Sql(
    """SELECT id, merged_into FROM member
        WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND merged_into IS NOT NULL"""
)
# What moved an order: refunds and changes, and bookings of what it earned or redeemed.
REFUNDS_SINCE = Sql(
    """SELECT id, order_id FROM order_refund WHERE tenant_id = $1 AND id > $2
        ORDER BY id LIMIT $3"""
)
MOVED_SINCE = Sql(
    """SELECT id, order_id FROM ledger_transaction WHERE tenant_id = $1 AND id > $2
        ORDER BY id LIMIT $3"""
)
ORDERS_WITH_SALES = Sql(
    """SELECT DISTINCT order_id FROM recommendation_sale
        WHERE tenant_id = $1 AND order_id = ANY($2::bigint[])"""
)
# OFFSET 0: each is looked up by its member. PostgreSQL does not know how long the list is, nor,
# until the next ANALYZE, how much there is to be read instead.
# $2: a JSON list of objects: a member, from when and before when it may have bought. $3: the last
# of the orders that are not looked at anyway.
ORDERS_AFTER = Sql(
    """SELECT DISTINCT o.id
         FROM jsonb_to_recordset($2::jsonb) AS who(member_id bigint, since bigint, before bigint)
        CROSS JOIN LATERAL (
          SELECT id FROM shop_order
           WHERE tenant_id = $1 AND member_id = who.member_id AND id <= $3
             AND occurred_at >= who.since AND occurred_at < who.before OFFSET 0) o""",
    sqlite="""SELECT DISTINCT o.id
         FROM json_each(?2)
         JOIN shop_order o ON o.tenant_id = ?1
          AND o.member_id = json_extract(json_each.value, '$.member_id')
          AND o.occurred_at >= json_extract(json_each.value, '$.since')
          AND o.occurred_at < json_extract(json_each.value, '$.before') AND o.id <= ?3""",
)
BOUGHT = Sql(
    """SELECT o.id, o.member_id, o.occurred_at, l.product
         FROM shop_order o
         JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        WHERE o.tenant_id = $1 AND o.id = ANY($2::bigint[])"""
)
# Nobody is followed who did not agree, whatever the shop says.
SAID = Sql(
    """SELECT o.id, p.product, p.recommendation, p.answered_at, p.window_code, p.model, p.variant,
              p.experiment_id
         FROM shop_order o
         JOIN recommendation_purchase p
           ON p.tenant_id = o.tenant_id AND p.order_external_id = o.external_id
         LEFT JOIN member m ON m.tenant_id = o.tenant_id AND m.id = o.member_id
        WHERE o.tenant_id = $1 AND o.id = ANY($2::bigint[])
          AND (o.member_id IS NULL OR m.consent_profiling)"""
)
MERGED_INTO = Sql(
    """SELECT merged_into, id FROM member
        WHERE tenant_id = $1 AND merged_into = ANY($2::bigint[])"""
)
# $2: a JSON list of objects: what a member bought in an order, and the time from which on (and up
# to which) it may have met it.
TOUCHES = Sql(
    """SELECT bought.order_id, e.product, e.recommendation, e.type, e.occurred_at, e.window_code,
              e.model, e.variant, e.experiment_id
         FROM jsonb_to_recordset($2::jsonb)
           AS bought(order_id bigint, member_id bigint, product text, after bigint, at bigint)
        CROSS JOIN LATERAL (
          SELECT * FROM recommendation_event
           WHERE tenant_id = $1 AND member_id = bought.member_id AND product = bought.product
             AND occurred_at > bought.after AND occurred_at <= bought.at OFFSET 0) e""",
    sqlite="""SELECT json_extract(json_each.value, '$.order_id'), e.product, e.recommendation,
              e.type, e.occurred_at, e.window_code, e.model, e.variant, e.experiment_id
         FROM json_each(?2)
         JOIN recommendation_event e ON e.tenant_id = ?1
          AND e.member_id = json_extract(json_each.value, '$.member_id')
          AND e.product = json_extract(json_each.value, '$.product')
          AND e.occurred_at > json_extract(json_each.value, '$.after')
          AND e.occurred_at <= json_extract(json_each.value, '$.at')""",
)
SALE_COLUMNS: Final = (
    "id", "order_id", "product", "day", "recommendation", "touch", "touched_at", "window_code",
    "model", "variant", "experiment_id", "currency", "quantity", "sales_minor",
)  # fmt: skip
SALES_OF = Sql(
    f"""SELECT {", ".join(SALE_COLUMNS)} FROM recommendation_sale
         WHERE tenant_id = $1 AND order_id = ANY($2::bigint[])"""
)
