"""Forgetting first outcomes of idempotency keys, and events of recommendations."""

from loyalty.storage.statements import Sql

# Ids carry the time, so the primary key finds the old rows and no index more is kept for them.
OLD_KEYS = Sql(
    """DELETE FROM idempotency WHERE tenant_id = $1 AND id IN (
         SELECT id FROM idempotency
          WHERE tenant_id = $1 AND id < $2 AND created_at < $3 ORDER BY id LIMIT $4)
       RETURNING id"""
)
OLD_EVENTS = Sql(
    """DELETE FROM recommendation_event WHERE tenant_id = $1 AND id IN (
         SELECT id FROM recommendation_event WHERE tenant_id = $1 AND id < $2 ORDER BY id LIMIT $3)
       RETURNING id"""
)
OLD_PURCHASES = Sql(
    """DELETE FROM recommendation_purchase WHERE tenant_id = $1 AND id IN (
         SELECT id FROM recommendation_purchase
          WHERE tenant_id = $1 AND id < $2 ORDER BY id LIMIT $3)
       RETURNING id"""
)
ERASED_SINCE = Sql(
    """SELECT DISTINCT subject_id FROM audit_event
        WHERE tenant_id = $1 AND id > $2 AND action = 'memberErase'"""
)
EVENTS_OF = Sql(
    """DELETE FROM recommendation_event
        WHERE tenant_id = $1 AND member_id = ANY($2::bigint[]) RETURNING id"""
)
