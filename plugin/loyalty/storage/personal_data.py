"""What each table holds of a member: where its rows are, what of them erasing takes away.

Every text column of every table is classified here, so that none is forgotten: a test compares this
with the tables. ``services.erasure`` and ``services.member_export`` work from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from loyalty.storage.schema import tables
from loyalty.storage.statements import Sql, Statement

# $1 is the tenant, $2 ids of the member's rows, $3 subjects (``services.subjects``).
_MINE = "member_id = ANY($2::bigint[])"
_MY_ORDERS = f"(SELECT {{}} FROM shop_order WHERE tenant_id = $1 AND {_MINE})"
_MY_RESERVATIONS = f"(SELECT id FROM reservation WHERE tenant_id = $1 AND {_MINE})"
_MY_TRANSACTIONS = f"(SELECT id FROM ledger_transaction WHERE tenant_id = $1 AND {_MINE})"
# What others hold, gift cards, moved for the member's checkouts and orders.
_MOVED_FOR_ME = f"""(SELECT id FROM ledger_transaction WHERE tenant_id = $1
        AND member_id IN (SELECT holder_id FROM draw WHERE tenant_id = $1
                           AND reservation_id IN {_MY_RESERVATIONS})
        AND (reservation_id IN {_MY_RESERVATIONS} OR order_id IN {_MY_ORDERS.format("id")}))"""
_MY_COUPONS = f"(SELECT id FROM coupon WHERE tenant_id = $1 AND {_MINE})"
_BY_SUBJECT = "subject = ANY($3::bigint[])"

CODE = "a code of the program"
STATE = "one of a closed set"
UNIT = "a point type or a currency"
RECORD = "the shop's own number of its business record, which refunds and repeats are known by"
STAFF = "who acted for the shop, never a shopper"
DIGEST = "a digest of something that is no person's"
TECHNICAL = "a technical name"
BY_COMMAND = ""
"""Put in place by the command itself, as it differs from row to row."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one table holds of a member.

    Args:
        section: what the rows are called in an export; None: the table holds nothing of a member.
        whose: condition that finds a member's rows.
        erased: text columns that may be personal, with the SQL of what erasing puts in place.
        kept: text columns that are not, each with why.
        is_deleted: erasing deletes the rows; then columns need no class of their own.
        anybodys: condition of further rows that erasing treats alike, because they may be of
            anybody; an export leaves them out.
    """

    section: str | None = None
    whose: str = ""
    erased: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    is_deleted: bool = False
    anybodys: str = ""


TABLES: Final[Mapping[str, Held]] = {
    "tenant": Held(kept={"code": TECHNICAL, "name": "the shop's name"}),
    "id_lease": Held(),
    "ruleset": Held(
        kept={"source": "the program's rules", "hash": DIGEST, "published_by": STAFF},
    ),
    "token_issuer": Held(
        kept=dict.fromkeys(("issuer", "algorithm", "public_key", "audience"), TECHNICAL)
    ),
    "api_key": Held(
        kept={"key_id": TECHNICAL, "name": STAFF, "secret_hash": DIGEST, "scopes": CODE}
    ),
    "webhook_source": Held(kept={"source": TECHNICAL, "kind": STATE}),
    "product": Held(
        kept=dict.fromkeys(
            (
                "external_id",
                "name",
                "category",
                "department",
                "type",
                "brand",
                "image_url",
                "currency",
                "tiers",
                "invented",
            ),
            "of a product",
        )
    ),
    "member": Held(
        "members",
        "id = ANY($2::bigint[])",
        erased=dict.fromkeys(
            ("external_id", "name", "email", "locale", "birthday", "state_reason"), BY_COMMAND
        ),
        kept={"state": STATE, "tier": CODE, "kind": STATE},
    ),
    "member_merge": Held(
        "merges",
        "(source_id = ANY($2::bigint[]) OR target_id = ANY($2::bigint[]))",
        kept={"state": STATE, "moved": "row ids and codes"},
    ),
    "tier_change": Held(
        "tierChanges", _MINE, kept={"tier_from": CODE, "tier_to": CODE, "reason": STATE}
    ),
    "account": Held("accounts", _MINE, kept={"unit": UNIT}),
    "lot": Held("lots", _MINE, kept={"unit": UNIT}),
    "lot_reversal": Held(
        "reversals", f"lot_id IN (SELECT id FROM lot WHERE tenant_id = $1 AND {_MINE})"
    ),
    "ledger_transaction": Held(
        "transactions",
        _MINE,
        kept={"kind": STATE, "reason": "never filled: free text stands in transaction_note"},
    ),
    "ledger_entry": Held(
        "entries",
        f"transaction_id IN {_MY_TRANSACTIONS}",
        kept={"account": STATE, "unit": UNIT},
    ),
    "transaction_note": Held(
        "notes", f"(id IN {_MY_TRANSACTIONS} OR id IN {_MOVED_FOR_ME})", is_deleted=True
    ),
    "shop_order": Held(
        "orders",
        _MINE,
        erased={"context": BY_COMMAND},
        kept={
            "external_id": RECORD,
            "state": STATE,
            "source": TECHNICAL,
            "currency": UNIT,
            "tier": CODE,
            "refunds": "numbers and row ids",
        },
    ),
    "order_line": Held(
        "orderLines",
        f"order_id IN {_MY_ORDERS.format('id')}",
        kept={"product": "the shop's product, needed to refund by line"},
    ),
    "order_refund": Held(
        "refunds",
        f"order_external_id IN {_MY_ORDERS.format('external_id')}",
        erased={"reason": "NULL"},
        kept={
            "external_id": RECORD,
            "order_external_id": RECORD,
            "state": STATE,
            "kind": STATE,
            "lines": "names of lines, quantities and amounts",
            "booked": "numbers, point types and codes of rewards",
        },
        # A refund that waits for an order that nobody knows; nothing says whose it is.
        anybodys="state = 'WAITING'",
    ),
    "reservation": Held(
        "reservations",
        _MINE,
        erased={"cart_id": BY_COMMAND, "quote": BY_COMMAND},
        kept={"state": STATE},
    ),
    "draw": Held(
        "draws",
        f"reservation_id IN {_MY_RESERVATIONS}",
        kept={"unit": UNIT, "state": STATE},
    ),
    # The quota of a member's own coupon goes first: it is found through the coupon.
    "quota": Held(
        "quotas",
        f"id IN {_MY_COUPONS}",
        erased={"subject": "'ERASED-' || id"},
        kept={"kind": STATE},
    ),
    "quota_use": Held("quotaUses", f"reservation_id IN {_MY_RESERVATIONS}", kept={"state": STATE}),
    "coupon": Held(
        "coupons",
        _MINE,
        erased={"code": "'ERASED-' || id", "state": "'REVOKED'"},
        kept={"reward": CODE, "created_by": STAFF},
    ),
    "gift_card": Held(
        kept={
            "code_hash": "keyed",
            "last4": "of a card, which belongs to whoever holds it",
            "currency": UNIT,
            "state": STATE,
            "created_by": STAFF,
        }
    ),
    "adjustment": Held(
        "adjustments",
        _MINE,
        erased={"reason": "NULL"},
        kept={"unit": UNIT, "state": STATE, "proposed_by": STAFF, "decided_by": STAFF},
    ),
    "audit_event": Held(
        kept={
            "actor": STAFF,
            "action": STATE,
            "subject_kind": STATE,
            "subject_id": "a row id, or the shop's own code or number",
            "detail": "names of fields and values that are no person's",
        }
    ),
    "ledger_root": Held(kept={"day": "a date"}),
    "experiment": Held(
        kept={"control": TECHNICAL, "candidate": TECHNICAL, "started_by": STAFF},
    ),
    "experiment_member": Held("experiments", _MINE, kept={"variant": STATE}),
    "recommendation_event": Held("recommendationEvents", _MINE, is_deleted=True),
    "recommendation_purchase": Held(
        "recommendationPurchases",
        f"order_external_id IN {_MY_ORDERS.format('external_id')}",
        kept={
            "product": "the shop's product, as the order has it",
            "order_external_id": RECORD,
            "window_code": STATE,
            "model": TECHNICAL,
            "variant": STATE,
        },
    ),
    "recommendation_day": Held(
        kept={"day": "a date", "window_code": STATE, "model": TECHNICAL, "variant": STATE}
    ),
    "recommendation_sale": Held(
        "recommendationSales",
        f"order_id IN {_MY_ORDERS.format('id')}",
        kept={
            "product": "the shop's product, as the order has it",
            "day": "a date",
            "touch": STATE,
            "window_code": STATE,
            "model": TECHNICAL,
            "variant": STATE,
            "currency": UNIT,
        },
    ),
    "offer_plan": Held(
        kept={
            "key": DIGEST,
            "state": STATE,
            "figures": "sums over many members",
            "published_by": STAFF,
        }
    ),
    "member_offer": Held(
        "offers",
        _MINE,
        erased={
            "reason": "'{}'",
            "state": "CASE state WHEN 'OFFERED' THEN 'WITHDRAWN' ELSE state END",
        },
        kept={"offer": CODE, "target": CODE},
    ),
    "idempotency": Held("calls", _BY_SUBJECT, is_deleted=True),
    "inbox": Held("deliveries", _BY_SUBJECT, is_deleted=True),
    "import_run": Held(kept={"kind": STATE, "file_hash": "of a whole file"}),
}


def eraser(tenant_id: int, ids: Sequence[int], subjects: Sequence[int]) -> Iterator[Statement]:
    """Statements that take a member's personal data away, but for what its command does itself."""
    for name in tables():
        held = TABLES[name]
        sets = ", ".join(f"{column} = {sql}" for column, sql in held.erased.items() if sql)
        whose = f"({held.whose} OR {held.anybodys})" if held.anybodys else held.whose
        if held.is_deleted:
            text = f"DELETE FROM {name} WHERE tenant_id = $1 AND {whose}"
        elif sets:
            text = f"UPDATE {name} SET {sets} WHERE tenant_id = $1 AND {whose}"
        else:
            continue
        yield _statement(text, tenant_id, ids, subjects)


def reader(
    table: str, tenant_id: int, ids: Sequence[int], subjects: Sequence[int], after: int, limit: int
) -> Statement:
    """A page of a member's rows of one table, every column in the table's order, by id."""
    columns = ", ".join(tables()[table].names)
    text = (
        f"SELECT {columns} FROM {table} WHERE tenant_id = $1 AND {TABLES[table].whose}"
        f" AND id > {after:d} ORDER BY id LIMIT {limit:d}"
    )
    return _statement(text, tenant_id, ids, subjects)


def _statement(text: str, tenant_id: int, ids: Sequence[int], subjects: Sequence[int]) -> Statement:
    if "$3" in text:
        # PostgreSQL wants every parameter from the first on to be used.
        return Sql(text.replace("$3", "$2"))(tenant_id, list(subjects))
    return Sql(text)(tenant_id, list(ids))
