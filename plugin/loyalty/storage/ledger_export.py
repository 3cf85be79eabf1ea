"""What an export reads beside the statements of ``storage.verify``."""

from loyalty.storage.statements import Sql

HOLDERS = Sql(
    """SELECT id, seq, hash FROM member
        WHERE tenant_id = $1 AND id > $2 AND seq > 0 ORDER BY id LIMIT $3"""
)
HELD = Sql(
    """SELECT holder_id, reservation_id, lot_id, unit, amount FROM draw
        WHERE tenant_id = $1 AND holder_id = ANY($2::bigint[]) AND state = 'HELD'
        ORDER BY holder_id, reservation_id, lot_id"""
)
