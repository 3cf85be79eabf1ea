"""Statements about events of recommendations: each once, counted by day."""

from typing import Final

from loyalty.storage.statements import Sql

# Who a member is by now: a merged one is the member that it became part of.
_MEMBER = """SELECT m.id, t.id, t.state, t.consent_profiling
               FROM member m JOIN member t
                 ON t.tenant_id = m.tenant_id AND t.id = COALESCE(m.merged_into, m.id)"""
MEMBERS = Sql(f"{_MEMBER} WHERE m.tenant_id = $1 AND m.id = ANY($2::bigint[])")
MEMBER_NAMED = Sql(f"{_MEMBER} WHERE m.tenant_id = $1 AND m.external_id = $2")
EXPERIMENTS = Sql("SELECT id FROM experiment WHERE tenant_id = $1 AND id = ANY($2::bigint[])")

EVENT_COLUMNS: Final = (
    "id", "tenant_id", "recommendation", "type", "product", "position", "window_code", "model",
    "variant", "experiment_id", "member_id", "occurred_at", "booked_at",
)  # fmt: skip
PURCHASE_COLUMNS: Final = (
    "id", "tenant_id", "recommendation", "product", "order_external_id", "window_code", "model",
    "variant", "experiment_id", "answered_at", "booked_at",
)  # fmt: skip
_TEXTS: Final = frozenset(
    {"type", "product", "order_external_id", "window_code", "model", "variant"}
)
_NUMBERS: Final = frozenset({"tenant_id", "position"})


def _from_json(table: str, columns: tuple[str, ...], conflict: str, returning: str) -> Sql:
    """Rows out of one JSON list of objects, $1; those whose key is there already are left out."""
    names = ", ".join(columns)

    def type_of(name: str) -> str:
        return "text" if name in _TEXTS else "integer" if name in _NUMBERS else "bigint"

    typed = ", ".join(f"{name} {type_of(name)}" for name in columns)
    parts = ", ".join(f"json_extract(value, '$.{name}')" for name in columns)
    head = f"INSERT INTO {table} ({names})"
    tail = f"ON CONFLICT ({conflict}) DO NOTHING RETURNING {returning}"
    return Sql(
        f"{head} SELECT {names} FROM jsonb_to_recordset($1::jsonb) AS given({typed}) {tail}",
        sqlite=f"{head} SELECT {parts} FROM json_each(?1) WHERE true {tail}",
    )


ADD_EVENTS = _from_json(
    "recommendation_event",
    EVENT_COLUMNS,
    "tenant_id, recommendation, type, product",
    "recommendation, type, product",
)
ADD_PURCHASES = _from_json(
    "recommendation_purchase",
    PURCHASE_COLUMNS,
    "tenant_id, order_external_id, product",
    "id",
)
ADD_EXPERIMENT_MEMBERS = _from_json(
    "experiment_member",
    ("id", "tenant_id", "experiment_id", "member_id", "variant", "first_at"),
    "tenant_id, experiment_id, member_id",
    "id",
)
ADD_COUNTS = Sql(
    """INSERT INTO recommendation_day (id, tenant_id, day, window_code, model, variant,
                                       impressions, clicks, carts)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (tenant_id, day, window_code, model, variant) DO UPDATE SET
         impressions = recommendation_day.impressions + excluded.impressions,
         clicks = recommendation_day.clicks + excluded.clicks,
         carts = recommendation_day.carts + excluded.carts
       RETURNING id"""
)
_UNNAMED = """UPDATE recommendation_event SET member_id = NULL
        WHERE tenant_id = $1 AND member_id IN (
          SELECT id FROM member WHERE tenant_id = $1 AND id = $2
           UNION ALL SELECT id FROM member WHERE tenant_id = $1 AND merged_into = $2)"""
# Of a member, $2, who takes back its consent, and of everybody who became part of it.
UNNAME = Sql(f"{_UNNAMED} RETURNING id")
# The same of a member of which others became part, unless it agreed.
UNNAME_MERGED = Sql(
    f"""{_UNNAMED}
          AND NOT EXISTS (
            SELECT 1 FROM member WHERE tenant_id = $1 AND id = $2 AND consent_profiling)
       RETURNING id"""
)
