"""Statements that add up a whole tenant."""

from loyalty.storage.statements import Sql

ORDERS = Sql("SELECT COUNT(*)::bigint FROM shop_order WHERE tenant_id = $1")
# $2 is the moment: what has ended is worth nothing, although nobody may have settled it yet.
LOTS = Sql(
    """SELECT unit, SUM(remaining)::bigint,
              SUM(CASE WHEN available_at > $2 THEN remaining ELSE 0 END)::bigint
         FROM lot WHERE tenant_id = $1 AND remaining > 0 AND ends_at > $2 GROUP BY unit"""
)
HELD = Sql(
    """SELECT unit, SUM(amount)::bigint FROM draw
        WHERE tenant_id = $1 AND state = 'HELD' GROUP BY unit"""
)
DEFICITS = Sql(
    """SELECT unit, SUM(deficit)::bigint FROM account
        WHERE tenant_id = $1 AND deficit > 0 GROUP BY unit"""
)
