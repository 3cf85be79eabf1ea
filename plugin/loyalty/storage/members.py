"""Statements that read members without locking them."""

from loyalty.storage.statements import Sql

PROFILE_COLUMNS = (
    "id", "external_id", "state", "version", "seq", "hash", "settled_at", "booked_at", "tier",
    "tier_since", "tier_grace_until", "joined_at", "name", "email", "locale", "birthday",
    "consent_email", "consent_sms", "consent_profiling", "consents_at",
)  # fmt: skip
# A name answers for the member that its own was merged into.
_NAMED = """tenant_id = $1 AND id = (
           SELECT COALESCE(merged_into, id) FROM member
            WHERE tenant_id = $1 AND external_id = $2)"""
PROFILE = Sql(f"SELECT {', '.join(PROFILE_COLUMNS)} FROM member WHERE {_NAMED}")
PROFILE_BY_ID = Sql(
    f"SELECT {', '.join(PROFILE_COLUMNS)} FROM member WHERE tenant_id = $1 AND id = $2"
)
NAMES_OF_IDS = Sql(
    """SELECT id, external_id FROM member
        WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND state <> 'ERASED'"""
)
ID_AND_VERSION = Sql(f"SELECT id, version FROM member WHERE {_NAMED}")
PROFILES_BY_ID = Sql(
    f"""SELECT {", ".join(PROFILE_COLUMNS)} FROM member
         WHERE tenant_id = $1 AND id = ANY($2::bigint[])"""
)
TIER_CHANGES = Sql(
    """SELECT at, tier_from, tier_to, reason FROM tier_change
        WHERE tenant_id = $1 AND member_id = $2 ORDER BY at DESC, id DESC LIMIT $3"""
)
# One row per transaction and unit: what it did to the balance and to what is held.
HISTORY = Sql(
    """SELECT t.id, t.seq, t.kind, e.unit,
              SUM(CASE WHEN e.account = 'MEMBER' THEN e.amount ELSE 0 END),
              SUM(CASE WHEN e.account = 'HELD' THEN e.amount ELSE 0 END),
              t.effective_at, t.booked_at, o.external_id, t.ruleset_version
         FROM ledger_transaction t
         JOIN ledger_entry e ON e.tenant_id = t.tenant_id AND e.transaction_id = t.id
         LEFT JOIN shop_order o ON o.tenant_id = t.tenant_id AND o.id = t.order_id
        WHERE t.tenant_id = $1 AND t.member_id = $2 AND t.seq < $3 AND e.unit = $4
        GROUP BY t.id, t.seq, t.kind, e.unit, t.effective_at, t.booked_at, o.external_id,
                 t.ruleset_version
        ORDER BY t.seq DESC LIMIT $5"""
)
HISTORY_BOOKED = Sql(HISTORY.postgres.replace("t.seq < $3", "t.seq < $3 AND t.booked_at <= $6"))
HISTORY_EFFECTIVE = Sql(
    HISTORY.postgres.replace("t.seq < $3", "t.seq < $3 AND t.effective_at <= $6")
)
LIST = Sql(
    f"""SELECT {", ".join(PROFILE_COLUMNS)} FROM member
         WHERE tenant_id = $1 AND id > $2 AND kind = 'MEMBER'
           AND merged_into IS NULL
         ORDER BY id LIMIT $3"""
)
FIND = Sql(
    f"""SELECT {", ".join(PROFILE_COLUMNS)} FROM member
         WHERE tenant_id = $1 AND id > $2 AND external_id >= $4 AND external_id < $5
           AND kind = 'MEMBER' AND merged_into IS NULL
         ORDER BY id LIMIT $3"""
)
COUNTS = Sql(
    """SELECT state, COUNT(*) FROM member
        WHERE tenant_id = $1 AND kind = 'MEMBER' AND merged_into IS NULL GROUP BY state"""
)
