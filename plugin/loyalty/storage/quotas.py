"""Statements about counters that several members share, coupons, and gift cards."""

from loyalty.storage.statements import Sql

QUOTA_COLUMNS = (
    "id", "kind", "subject", "total_max", "member_max", "used", "state",
)  # fmt: skip
IDS = Sql("SELECT id FROM quota WHERE tenant_id = $1 AND kind = $2 AND subject = ANY($3::text[])")
# Locked after the members, in id order, so that units never wait for each other in a circle.
LOCK = Sql(
    """SELECT q.id, q.kind, q.subject, q.total_max, q.member_max, q.used,
              CASE WHEN 'WITHDRAWN' IN (m.state, p.state) THEN 'REVOKED' ELSE c.state END
         FROM quota q LEFT JOIN coupon c ON c.tenant_id = q.tenant_id AND c.id = q.id
         LEFT JOIN member_offer m ON m.tenant_id = q.tenant_id AND m.id = q.id
         LEFT JOIN offer_plan p ON p.tenant_id = m.tenant_id AND p.id = m.plan_id
        WHERE q.tenant_id = $1 AND q.id = ANY($2::bigint[]) ORDER BY q.id FOR NO KEY UPDATE OF q"""
)
USE_COLUMNS = (
    "id", "quota_id", "member_id", "reservation_id", "quantity", "state", "expires_at",
)  # fmt: skip
USES = Sql(
    f"""SELECT {", ".join(USE_COLUMNS)} FROM quota_use
         WHERE tenant_id = $1 AND reservation_id = ANY($2::bigint[]) ORDER BY id"""
)
# What is held past its time is free again, whether or not anybody settled it.
# Without what one reservation holds; 0 names none.
HELD = Sql(
    """SELECT quota_id, SUM(quantity)::bigint FROM quota_use
        WHERE tenant_id = $1 AND quota_id = ANY($2::bigint[]) AND state = 'HELD'
          AND expires_at > $3 AND reservation_id <> $4 GROUP BY quota_id"""
)
# The same under the lock, with what timed out beside it.
HELD_BY_CLOCK = Sql(
    """SELECT quota_id, SUM(CASE WHEN expires_at > $3 THEN quantity ELSE 0 END)::bigint,
              SUM(CASE WHEN expires_at > $3 THEN 0 ELSE quantity END)::bigint
         FROM quota_use
        WHERE tenant_id = $1 AND quota_id = ANY($2::bigint[]) AND state = 'HELD'
        GROUP BY quota_id"""
)
OVER = Sql(
    """SELECT id, quota_id FROM quota_use
        WHERE tenant_id = $1 AND quota_id = ANY($2::bigint[]) AND state = 'HELD'
          AND expires_at <= $3 ORDER BY id"""
)
OF_MEMBERS = Sql(
    """SELECT quota_id, member_id, SUM(quantity)::bigint FROM quota_use
        WHERE tenant_id = $1 AND quota_id = ANY($2::bigint[]) AND member_id = ANY($4::bigint[])
          AND (state = 'USED'
               OR (state = 'HELD' AND expires_at > $3 AND reservation_id <> $5))
        GROUP BY quota_id, member_id"""
)
QUOTAS = Sql(
    """SELECT id, subject, total_max, member_max, used FROM quota
        WHERE tenant_id = $1 AND kind = $2 AND subject = ANY($3::text[])"""
)

COUPON_COLUMNS = (
    "id", "code", "reward", "member_id", "starts_at", "ends_at", "state", "total_max",
    "member_max", "used", "created_at", "created_by",
)  # fmt: skip
_COUPON = """c.id, c.code, c.reward, c.member_id, c.starts_at, c.ends_at, c.state, q.total_max,
             q.member_max, q.used, c.created_at, c.created_by
        FROM coupon c JOIN quota q ON q.tenant_id = c.tenant_id AND q.id = c.id"""
COUPONS = Sql(f"SELECT {_COUPON} WHERE c.tenant_id = $1 AND c.code = ANY($2::text[])")
COUPONS_OF_MEMBER = Sql(
    f"""SELECT {_COUPON} WHERE c.tenant_id = $1 AND c.member_id = $2 AND c.state = 'ISSUED'
           AND (c.ends_at IS NULL OR c.ends_at > $3) ORDER BY c.id LIMIT $4"""
)
COUPONS_LISTED = Sql(
    f"SELECT {_COUPON} WHERE c.tenant_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3"
)
REVOKE_COUPON = Sql(
    """UPDATE coupon SET state = 'REVOKED'
        WHERE tenant_id = $1 AND code = $2 AND state = 'ISSUED' RETURNING id"""
)
STOCKS_LISTED = Sql(
    """SELECT id, subject, total_max, member_max, used FROM quota
        WHERE tenant_id = $1 AND kind = 'STOCK' ORDER BY subject"""
)
SET_STOCK = Sql(
    """INSERT INTO quota (id, tenant_id, kind, subject, total_max, member_max, used)
       VALUES ($1, $2, 'STOCK', $3, $4, NULL, 0)
       ON CONFLICT (tenant_id, kind, subject) DO UPDATE SET total_max = excluded.total_max
       RETURNING id, used"""
)
# Tidies: nobody asks for these any more, and a late commit takes again what it needs.
TIMED_OUT = Sql(
    """UPDATE quota_use SET state = 'RELEASED'
        WHERE tenant_id = $1 AND state = 'HELD' AND expires_at <= $2 RETURNING 1"""
)

GIFT_CARD_COLUMNS = (
    "id", "code_hash", "last4", "holder_id", "currency", "initial_minor", "state", "expires_at",
    "created_at", "created_by",
)  # fmt: skip
_GIFT_CARD = ", ".join(GIFT_CARD_COLUMNS)
GIFT_CARDS = Sql(
    f"SELECT {_GIFT_CARD} FROM gift_card WHERE tenant_id = $1 AND code_hash = ANY($2::text[])"
)
GIFT_CARDS_OF_HOLDERS = Sql(
    f"SELECT {_GIFT_CARD} FROM gift_card WHERE tenant_id = $1 AND holder_id = ANY($2::bigint[])"
)
GIFT_CARDS_LISTED = Sql(
    f"""SELECT {_GIFT_CARD} FROM gift_card WHERE tenant_id = $1 AND id > $2
         ORDER BY id LIMIT $3"""
)
SET_GIFT_CARD_STATE = Sql(
    """UPDATE gift_card SET state = $3 WHERE tenant_id = $1 AND id = $2 AND state <> $3
        RETURNING id"""
)
