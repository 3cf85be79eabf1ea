"""Statements about models that share traffic."""

from typing import Final

from loyalty.storage.statements import Sql

EXPERIMENT_COLUMNS: Final = (
    "id", "control", "candidate", "share_bp", "running", "started_at", "ended_at", "started_by",
)  # fmt: skip
_EXPERIMENT = f"SELECT {', '.join(EXPERIMENT_COLUMNS)} FROM experiment"
RUNNING = Sql(f"{_EXPERIMENT} WHERE tenant_id = $1 AND running = 1")
NAMED = Sql(f"{_EXPERIMENT} WHERE tenant_id = $1 AND id = $2")
LISTED = Sql(f"{_EXPERIMENT} WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
STOP = Sql(
    """UPDATE experiment SET running = NULL, ended_at = CASE
              WHEN started_at > $2 THEN started_at ELSE $2 END
        WHERE tenant_id = $1 AND running = 1 RETURNING id"""
)
MEMBERS = Sql(
    """SELECT experiment_id, variant, COUNT(*)::bigint FROM experiment_member
        WHERE tenant_id = $1 AND experiment_id = ANY($2::bigint[])
        GROUP BY experiment_id, variant"""
)
# What each member spent in currency $3; who bought with another is a buyer all the same.
SPENT = Sql(
    """SELECT s.experiment_id, s.variant, o.member_id,
              SUM(CASE WHEN s.currency = $3 THEN s.sales_minor ELSE 0 END)::bigint
         FROM recommendation_sale s
         JOIN shop_order o ON o.tenant_id = s.tenant_id AND o.id = s.order_id
        WHERE s.tenant_id = $1 AND s.experiment_id = ANY($2::bigint[]) AND o.member_id IS NOT NULL
          AND (s.quantity > 0 OR s.sales_minor > 0)
        GROUP BY s.experiment_id, s.variant, o.member_id"""
)
