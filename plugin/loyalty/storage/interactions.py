"""Statements that read purchases for the recommender: pages for training, a little for answers."""

from loyalty.storage.kept import of_what_was_kept
from loyalty.storage.statements import Sql

# What was returned whole is no sign that somebody likes it; who was erased has no taste of its own.
# At the end, whether something of the order came back.
ORDERS = Sql(
    """SELECT o.id, o.member_id, o.occurred_at, o.refunds IS NOT NULL FROM shop_order o
         JOIN member m ON m.tenant_id = o.tenant_id AND m.id = o.member_id
        WHERE o.tenant_id = $1 AND o.id > $2 AND m.state <> 'ERASED'
          AND o.state IN ('PAID', 'PARTIALLY_REFUNDED')
        ORDER BY o.id LIMIT $3"""
)
LINES = Sql(
    """SELECT id, order_id, product FROM order_line
        WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"""
)
# Lines of some orders, $2, that came back whole.
RETURNED = of_what_was_kept(
    """SELECT l.id FROM shop_order o
         JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        WHERE o.tenant_id = $1 AND o.id = ANY($2::bigint[]) AND NOT {kept}"""
)
# How much there is to read, for a bar of progress: what refunds and erasures leave out counts, too.
LINES_COUNT = Sql("SELECT count(*) FROM order_line WHERE tenant_id = $1")
PRODUCTS = Sql(
    """SELECT id, external_id, department, category, type, brand FROM product
        WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"""
)
# What one member bought, the latest first; what was returned whole is not among it.
PAST = of_what_was_kept(
    """SELECT l.product, o.occurred_at FROM shop_order o
         JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        WHERE o.tenant_id = $1 AND o.member_id = $2 AND o.state IN ('PAID', 'PARTIALLY_REFUNDED')
          AND {kept}
        ORDER BY o.occurred_at DESC LIMIT $3"""
)
# All that one member ever bought, where the lines above are not all, or no model reads them.
EVER_BOUGHT = of_what_was_kept(
    """SELECT DISTINCT l.product FROM shop_order o
         JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        WHERE o.tenant_id = $1 AND o.member_id = $2 AND o.state IN ('PAID', 'PARTIALLY_REFUNDED')
          AND {kept}"""
)
# In how many of the $2 latest orders each product is; ids rise with the moment of booking.
POPULAR = of_what_was_kept(
    """SELECT l.product FROM (
           SELECT id, context, refunds FROM shop_order
            WHERE tenant_id = $1 AND state IN ('PAID', 'PARTIALLY_REFUNDED')
            ORDER BY id DESC LIMIT $2) o
         JOIN order_line l ON l.tenant_id = $1 AND l.order_id = o.id
        WHERE {kept}
        GROUP BY l.product ORDER BY count(DISTINCT l.order_id) DESC, l.product LIMIT $3"""
)
