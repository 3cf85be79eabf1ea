"""Statements that add up what came of recommendations, by days."""

from loyalty.storage.statements import Sql

# $2 and $3: the first day and the day after the last.
EVENTS = Sql(
    """SELECT window_code, model, variant, SUM(impressions)::bigint, SUM(clicks)::bigint,
              SUM(carts)::bigint
         FROM recommendation_day WHERE tenant_id = $1 AND day >= $2 AND day < $3
        GROUP BY window_code, model, variant"""
)
SALES = Sql(
    """SELECT window_code, model, variant, currency, COUNT(*)::bigint, SUM(sales_minor)::bigint
         FROM recommendation_sale
        WHERE tenant_id = $1 AND day >= $2 AND day < $3 AND (quantity > 0 OR sales_minor > 0)
        GROUP BY window_code, model, variant, currency"""
)
