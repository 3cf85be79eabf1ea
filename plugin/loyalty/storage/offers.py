"""Statements about members' personal offers and the plans they came from."""

from loyalty.storage.kept import of_what_was_kept
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
# What was held out, and what was never published whole, is nobody's offer.
_SHOWN = "m.state <> 'HELD_OUT' AND p.published_at IS NOT NULL"
OF_MEMBER = Sql(
    f"""SELECT {_OFFER}
        WHERE m.tenant_id = $1 AND m.member_id = $2 AND m.ends_at > $3 AND {_SHOWN}
        ORDER BY m.id DESC LIMIT $4"""
)
BY_ID = Sql(f"SELECT {_OFFER} WHERE m.tenant_id = $1 AND m.id = ANY($2::bigint[]) AND {_SHOWN}")
_UNREASONED = """UPDATE member_offer SET reason = '{}'
        WHERE tenant_id = $1 AND member_id IN (
          SELECT id FROM member WHERE tenant_id = $1 AND id = $2
           UNION ALL SELECT id FROM member WHERE tenant_id = $1 AND merged_into = $2)"""
# Of a member, $2, who takes back its consent, and of everybody who became part of it.
UNREASON = Sql(f"{_UNREASONED} RETURNING id")
# The same of a member of which others became part, unless it agreed.
UNREASON_MERGED = Sql(
    f"""{_UNREASONED}
          AND NOT EXISTS (
            SELECT 1 FROM member WHERE tenant_id = $1 AND id = $2 AND consent_profiling)
       RETURNING id"""
)
# Uses that refunds gave back.
RESTORED = Sql(
    """SELECT quota_id, COUNT(*) FROM quota_use
        WHERE tenant_id = $1 AND quota_id = ANY($2::bigint[]) AND state = 'RESTORED'
        GROUP BY quota_id"""
)

# What a plan is made from.
MEMBERS = Sql(
    """SELECT id, consent_email, consent_sms FROM member
        WHERE tenant_id = $1 AND id > $2 AND kind = 'MEMBER' AND state = 'ACTIVE'
          AND merged_into IS NULL AND consent_profiling
        ORDER BY id LIMIT $3"""
)
PRODUCTS = Sql(
    """SELECT id, external_id, category, department, brand, type, cost_minor, currency FROM product
        WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"""
)
# What came back whole is no sign that somebody likes it.
BOUGHT = of_what_was_kept(
    """SELECT o.member_id, o.occurred_at, l.product, l.quantity,
              l.amount_minor - l.discount_minor, o.currency
         FROM shop_order o JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        WHERE o.tenant_id = $1 AND o.member_id = ANY($2::bigint[])
          AND o.state IN ('PAID', 'PARTIALLY_REFUNDED') AND o.occurred_at < $3
          AND {kept}"""
)
STANDING_COLUMNS = (
    "id", "member_id", "offer", "target", "ends_at", "state", "uses_max", "use_ppm",
    "cost_minor", "used",
)  # fmt: skip
# Offers that end, or ended, after a moment; those that were held out keep the same distances.
STANDING = Sql(
    """SELECT m.id, m.member_id, m.offer, m.target, m.ends_at, m.state, m.uses_max, m.use_ppm,
              m.cost_minor, COALESCE(q.used, 0)
         FROM member_offer m
         JOIN offer_plan p ON p.tenant_id = m.tenant_id AND p.id = m.plan_id
         LEFT JOIN quota q ON q.tenant_id = m.tenant_id AND q.id = m.id
        WHERE m.tenant_id = $1 AND m.id > $2 AND m.ends_at > $3 AND p.state = 'PUBLISHED'
          AND m.state <> 'WITHDRAWN'
        ORDER BY m.id LIMIT $4"""
)

# Publishing a plan: one at a time for each tenant, and nobody sees any of it before the end.
PLAN_BY_KEY = Sql(
    """SELECT id, state, starts_at FROM offer_plan WHERE tenant_id = $1 AND key = $2"""
)
LOCK_PLAN = Sql("SELECT state FROM offer_plan WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
# Plans that stand in the way of another: half published ones, and later ones.
PLANS_SINCE = Sql(
    """SELECT id, state FROM offer_plan
        WHERE tenant_id = $1 AND key <> $2
          AND (state = 'PUBLISHING' OR (state = 'PUBLISHED' AND published_at > $3))
        ORDER BY id LIMIT 1"""
)
PLACES = Sql(
    """SELECT place FROM member_offer
        WHERE tenant_id = $1 AND plan_id = $2 AND place >= $3 AND place < $4"""
)
LOCK_MEMBERS = Sql(
    """SELECT id, state, merged_into, consent_profiling, consent_email, consent_sms FROM member
        WHERE tenant_id = $1 AND id = ANY($2::bigint[]) ORDER BY id FOR NO KEY UPDATE"""
)
SET_BUDGET = Sql(
    """INSERT INTO quota (id, tenant_id, kind, subject, total_max, member_max, used)
       VALUES ($1, $2, 'BUDGET', $3, $4, NULL, 0)
       ON CONFLICT (tenant_id, kind, subject) DO UPDATE SET total_max = excluded.total_max
       RETURNING id"""
)
PUBLISHED = Sql(
    """UPDATE offer_plan SET state = 'PUBLISHED', published_at = $3
        WHERE tenant_id = $1 AND id = $2 AND state = 'PUBLISHING' RETURNING id"""
)
WITHDRAW = Sql(
    """UPDATE offer_plan SET state = 'WITHDRAWN', withdrawn_at = $3
        WHERE tenant_id = $1 AND id = $2 AND state <> 'WITHDRAWN' RETURNING id"""
)
PLAN_COLUMNS = (
    "id", "key", "state", "ruleset_version", "planned_at", "starts_at", "published_at",
    "withdrawn_at", "figures", "published_by",
)  # fmt: skip
PLANS = Sql(
    f"""SELECT {", ".join(PLAN_COLUMNS)} FROM offer_plan
         WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"""
)
PLAN = Sql(f"SELECT {', '.join(PLAN_COLUMNS)} FROM offer_plan WHERE tenant_id = $1 AND id = $2")

# What came of plans.
COUNTS = Sql(
    """SELECT plan_id, offer, state, COUNT(*), COUNT(activated_at), MAX(ends_at) FROM member_offer
        WHERE tenant_id = $1 AND plan_id = ANY($2::bigint[])
        GROUP BY plan_id, offer, state ORDER BY plan_id, offer, state"""
)


def _by_plan(text: str) -> Sql:
    """SQLite would look at every use of the tenant first; a CROSS JOIN keeps the sequence."""
    return Sql(text, sqlite=Sql(text.replace("JOIN quota_use u", "CROSS JOIN quota_use u")).sqlite)


# Uses by orders, refunds taken off, and what they took off.
USES = _by_plan(
    """SELECT m.plan_id, m.offer, COUNT(*), COUNT(DISTINCT m.id), SUM(b.quantity)::bigint
         FROM member_offer m
         JOIN quota_use u ON u.tenant_id = m.tenant_id AND u.quota_id = m.id
         JOIN quota q ON q.tenant_id = m.tenant_id AND q.kind = 'BUDGET'
                     AND q.subject = 'minor:' || m.offer
         JOIN quota_use b ON b.tenant_id = m.tenant_id AND b.reservation_id = u.reservation_id
                         AND b.quota_id = q.id
        WHERE m.tenant_id = $1 AND m.plan_id = ANY($2::bigint[]) AND u.state = 'USED'
        GROUP BY m.plan_id, m.offer"""
)
HELD = _by_plan(
    """SELECT m.plan_id, m.offer, SUM(u.quantity)::bigint
         FROM member_offer m JOIN quota_use u ON u.tenant_id = m.tenant_id AND u.quota_id = m.id
        WHERE m.tenant_id = $1 AND m.plan_id = ANY($2::bigint[]) AND u.state = 'HELD'
          AND u.expires_at > $3
        GROUP BY m.plan_id, m.offer"""
)
# Members that an offer of a plan was chosen for with a target, whether they were held out, and how
# many bought any of some products from one moment on, until the offer ended or another moment.
TARGET_BUYERS = of_what_was_kept(
    """SELECT CASE WHEN m.state = 'HELD_OUT' THEN 1 ELSE 0 END AS is_out, COUNT(*),
              SUM(CASE WHEN EXISTS (
                  SELECT 1 FROM shop_order o
                    JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
                   WHERE o.tenant_id = $1 AND o.member_id = m.member_id
                     AND o.occurred_at >= $5 AND o.occurred_at < $6 AND o.occurred_at < m.ends_at
                     AND o.state IN ('PAID', 'PARTIALLY_REFUNDED')
                     AND l.product = ANY($7::text[]) AND {kept}) THEN 1 ELSE 0 END)::bigint
         FROM member_offer m
        WHERE m.tenant_id = $1 AND m.plan_id = $2 AND m.offer = $3 AND m.target = $4
        GROUP BY is_out"""
)
# A page of a plan's members, those after $5: whether each was held out, and what it bought and kept
# from one moment to another.
SALES = of_what_was_kept(
    """SELECT g.member_id, g.is_out, COUNT(o.id), SUM({kept_minor})::bigint
         FROM (SELECT member_id, MAX(CASE WHEN state = 'HELD_OUT' THEN 1 ELSE 0 END) AS is_out
                 FROM member_offer
                WHERE tenant_id = $1 AND plan_id = $2 AND member_id > $5
                GROUP BY member_id ORDER BY member_id LIMIT $6) g
         LEFT JOIN shop_order o ON o.tenant_id = $1 AND o.member_id = g.member_id
              AND o.occurred_at >= $3 AND o.occurred_at < $4
              AND o.state IN ('PAID', 'PARTIALLY_REFUNDED')
        GROUP BY g.member_id, g.is_out ORDER BY g.member_id"""
)
