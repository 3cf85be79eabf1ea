"""Statements about a merchant's corrections."""

from loyalty.storage.statements import Sql

ADJUSTMENT_COLUMNS = (
    "id", "member_id", "unit", "amount", "expires_at", "allows_deficit", "state", "reason",
    "proposed_by", "decided_by", "transaction_id", "created_at", "decided_at",
)  # fmt: skip
ADJUSTMENTS = Sql(
    f"""SELECT {", ".join(ADJUSTMENT_COLUMNS)} FROM adjustment
         WHERE tenant_id = $1 AND id = ANY($2::bigint[])"""
)
# What was booked on one person's word, without another's.
BOOKED_ALONE = Sql(
    """SELECT member_id, unit, amount, proposed_by FROM adjustment
        WHERE tenant_id = $1 AND member_id = ANY($2::bigint[]) AND created_at > $3
          AND state = 'BOOKED' AND decided_by IS NULL"""
)
# Whatever is not asked for is null; the newest first.
LIST = Sql(
    f"""SELECT {", ".join("a." + name for name in ADJUSTMENT_COLUMNS)},
               CASE WHEN m.state <> 'ERASED' THEN m.external_id END
          FROM adjustment a
          JOIN member m ON m.tenant_id = a.tenant_id AND m.id = a.member_id
         WHERE a.tenant_id = $1 AND a.id < $2
           AND ($3::text IS NULL OR a.state = $3)
           AND ($4::text IS NULL OR m.external_id = $4)
         ORDER BY a.id DESC LIMIT $5"""
)
