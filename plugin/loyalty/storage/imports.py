"""Statements of imports: how far a file has come, and what the catalogue says of lines."""

from loyalty.storage.statements import Sql

RUN = Sql(
    """SELECT id, rows_done, accepted, rejected, is_complete, shifted_weeks FROM import_run
        WHERE tenant_id = $1 AND kind = $2 AND file_hash = $3"""
)
GROUPS = Sql(
    """SELECT external_id, category, department, brand FROM product
        WHERE tenant_id = $1 AND external_id = ANY($2::text[])"""
)
ORDERS_BOOKED = Sql("SELECT COUNT(*) FROM shop_order WHERE tenant_id = $1")
