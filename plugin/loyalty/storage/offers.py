"""Statements about members' personal offers and the plans they came from."""

from loyalty.storage.statements import Sql

OFFER_COLUMNS = (
    "id", "member_id", "offer", "target", "starts_at", "ends_at", "activated_at", "uses_max",
    "reason", "state", "plan_state", "used",
)  # fmt: skip
_OFFER = """m.id, m.member_id, m.offer, m.target, m.starts_at, m.ends_at, m.activated_at,
            m.uses_max, m.reason, m.state, p.state, COALESCE(q.used, 0)
       FROM member_offer m
       JOIN offer_plan p ON p.tenant_id = m.tenant_id AND p.id = m.plan_id
       LEFT JOIN quota q ON q.tenant_id = m.tenant_id AND q.id = m.id"""
# What was held out, and what is not all published yet, is nobody's offer.
_SHOWN = "m.state <> 'HELD_OUT' AND p.state <> 'PUBLISHING'"
OF_MEMBER = Sql(
    f"""SELECT {_OFFER}
        WHERE m.tenant_id = $1 AND m.member_id = $2 AND m.ends_at > $3 AND {_SHOWN}
        ORDER BY m.id DESC LIMIT $4"""
)
BY_ID = Sql(f"SELECT {_OFFER} WHERE m.tenant_id = $1 AND m.id = ANY($2::bigint[]) AND {_SHOWN}")
# Uses that refunds gave back.
RESTORED = Sql(
    """SELECT quota_id, COUNT(*) FROM quota_use
        WHERE tenant_id = $1 AND quota_id = ANY($2::bigint[]) AND state = 'RESTORED'
        GROUP BY quota_id"""
)
