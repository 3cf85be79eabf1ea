"""Whose accounts change by themselves."""

from loyalty.storage.statements import Sql

DUE = Sql(
    """SELECT id, external_id FROM member
        WHERE tenant_id = $1 AND id > $2 AND next_change_at <= $3
          AND merged_into IS NULL
        ORDER BY id LIMIT $4"""
)
