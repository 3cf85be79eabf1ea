"""Forgetting first outcomes of idempotency keys."""

from loyalty.storage.statements import Sql

# Ids carry the time, so the primary key finds the old rows and no index more is kept for them.
OLD_KEYS = Sql(
    """DELETE FROM idempotency WHERE tenant_id = $1 AND id IN (
         SELECT id FROM idempotency
          WHERE tenant_id = $1 AND id < $2 AND created_at < $3 ORDER BY id LIMIT $4)
       RETURNING id"""
)
