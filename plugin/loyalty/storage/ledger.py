"""Statements that load a member's accounts under its lock, and the rows as domain values."""

from collections.abc import Sequence
from typing import Any

from loyalty.domain.books.accounts import Accounts, Hold
from loyalty.domain.books.ledger import instant
from loyalty.domain.books.lots import NEVER, Draw, Lot
from loyalty.domain.tiers import Standing
from loyalty.storage.statements import Sql

MEMBER_COLUMNS = (
    "id", "external_id", "state", "version", "seq", "hash", "settled_at", "booked_at", "tier",
    "tier_since", "tier_grace_until", "joined_at", "profile_at", "kind", "merged_into",
)  # fmt: skip
_MEMBER = f"SELECT {', '.join(MEMBER_COLUMNS)} FROM member"
# A name answers for the member that its own was merged into.
LOCK_BY_NAME = Sql(
    f"""{_MEMBER} WHERE tenant_id = $1 AND id = ANY(ARRAY(
           SELECT COALESCE(merged_into, id) FROM member
            WHERE tenant_id = $1 AND external_id = ANY($2::text[])))
        ORDER BY id FOR NO KEY UPDATE""",
    sqlite=f"""{_MEMBER} WHERE tenant_id = ?1 AND id IN (
           SELECT COALESCE(merged_into, id) FROM member
            WHERE tenant_id = ?1 AND external_id IN (SELECT value FROM json_each(?2)))
        ORDER BY id""",
)
LOCK_BY_ID = Sql(
    f"""{_MEMBER} WHERE tenant_id = $1 AND id = ANY($2::bigint[])
        ORDER BY id FOR NO KEY UPDATE""",
    sqlite=f"""{_MEMBER} WHERE tenant_id = ?1
          AND id IN (SELECT value FROM json_each(?2)) ORDER BY id""",
)
# A cart without a member has no row to lock, so its name is locked until the transaction ends.
LOCK_CARTS = Sql(
    """SELECT pg_advisory_xact_lock($1, h) FROM (
         SELECT DISTINCT hashtext(c) AS h FROM unnest($2::text[]) AS c ORDER BY h) AS carts""",
    sqlite="SELECT 1 WHERE ?1 IS NULL AND ?2 IS NULL",
)
# An order that is not there yet has no row to lock either. Who books orders of a tenant shares
# this lock; a refund that finds no order has it alone, so that neither overlooks the other.
SHARE_ORDERS = Sql(
    "SELECT pg_advisory_xact_lock_shared(-$1::bigint)", sqlite="SELECT 1 WHERE ?1 IS NULL"
)
LOCK_ORDERS = Sql("SELECT pg_advisory_xact_lock(-$1::bigint)", sqlite="SELECT 1 WHERE ?1 IS NULL")
NAMES_OF_ORDERS = Sql(
    "SELECT external_id FROM shop_order WHERE tenant_id = $1 AND external_id = ANY($2::text[])"
)
IDS_OF_NAMES = Sql(
    """SELECT COALESCE(merged_into, id) FROM member
        WHERE tenant_id = $1 AND external_id = ANY($2::text[])"""
)
# A reservation's holders are its member and whoever else's value it draws on: gift cards.
HOLDERS = Sql(
    """SELECT DISTINCT r.id, r.member_id, r.cart_id, d.holder_id FROM reservation r
         LEFT JOIN draw d ON d.tenant_id = r.tenant_id AND d.reservation_id = r.id
        WHERE r.tenant_id = $1 AND r.id = ANY($2::bigint[])"""
)
HOLDERS_OF_CARTS = Sql(
    """SELECT DISTINCT r.member_id, d.holder_id FROM reservation r
         LEFT JOIN draw d ON d.tenant_id = r.tenant_id AND d.reservation_id = r.id
        WHERE r.tenant_id = $1 AND r.cart_id = ANY($2::text[]) AND r.state = 'HELD'"""
)
HOLDERS_OF_MEMBERS = Sql(
    """SELECT DISTINCT d.holder_id FROM member m
         JOIN reservation r ON r.tenant_id = m.tenant_id AND r.member_id = m.id
         JOIN draw d ON d.tenant_id = r.tenant_id AND d.reservation_id = r.id
        WHERE m.tenant_id = $1 AND m.external_id = ANY($2::text[]) AND r.state = 'HELD'"""
)
HOLDERS_OF_ORDERS = Sql(
    """SELECT DISTINCT o.id, o.member_id, d.holder_id FROM shop_order o
         LEFT JOIN draw d ON d.tenant_id = o.tenant_id AND d.reservation_id = o.reservation_id
        WHERE o.tenant_id = $1 AND o.external_id = ANY($2::text[])"""
)
# An order without a member has no other row that its commands could meet at.
LOCK_GUEST_ORDERS = Sql(
    """SELECT id FROM shop_order WHERE tenant_id = $1 AND id = ANY($2::bigint[])
        ORDER BY id FOR NO KEY UPDATE""",
    sqlite="SELECT 1 WHERE ?1 IS NULL AND ?2 IS NULL",
)
CURRENT_RULESET = Sql("SELECT ruleset_version, ledger_closed_until FROM tenant WHERE id = $1")
# With the versions before it, by which the past is judged.
RULESET_SOURCES = Sql(
    """SELECT source, published_at, version FROM ruleset
        WHERE tenant_id = $1 AND version <= $2 ORDER BY version"""
)

_LOT = """l.member_id, l.id, l.unit, l.amount, l.remaining, l.reversed, l.expired, l.earned_at,
          l.available_at, l.ends_at, l.order_id"""
# What has ended before the member was last settled is booked as expired and holds nothing.
LOTS = Sql(
    f"""SELECT {_LOT} FROM lot l JOIN member m ON m.tenant_id = l.tenant_id AND m.id = l.member_id
         WHERE l.tenant_id = $1 AND l.member_id = ANY($2::bigint[]) AND l.ends_at > m.settled_at"""
)
LOTS_BY_ID = Sql(f"SELECT {_LOT} FROM lot l WHERE l.tenant_id = $1 AND l.id = ANY($2::bigint[])")
ACCOUNTS = Sql(
    """SELECT member_id, unit, balance, deficit FROM account
        WHERE tenant_id = $1 AND member_id = ANY($2::bigint[])"""
)
# What a holder's lots hold, and the member's reservations that hold nothing.
HOLDS = Sql(
    """SELECT d.holder_id, r.id, r.expires_at, d.lot_id, d.unit, d.amount, d.id
         FROM draw d
         JOIN reservation r ON r.tenant_id = d.tenant_id AND r.id = d.reservation_id
        WHERE d.tenant_id = $1 AND d.holder_id = ANY($2::bigint[]) AND d.state = 'HELD'
       UNION ALL
       SELECT r.member_id, r.id, r.expires_at, NULL, NULL, NULL, 0 FROM reservation r
        WHERE r.tenant_id = $1 AND r.member_id = ANY($2::bigint[]) AND r.state = 'HELD'
        ORDER BY 2, 7"""
)
TIER_HISTORY = Sql(
    """SELECT member_id, at, tier_to FROM tier_change
        WHERE tenant_id = $1 AND member_id = ANY($2::bigint[]) ORDER BY at, id"""
)

MEMBER = "MEMBER"
"""The kind of a holder that is a shopper."""


def lot_of(row: Sequence[Any]) -> Lot:
    """A lot from the columns of ``LOTS`` after ``member_id``."""
    id, unit, amount, remaining, reversed_, expired, earned_at, available_at, ends_at, order = row
    ends = instant(ends_at)
    return Lot(
        id, unit, amount, remaining, reversed_, expired, instant(earned_at),
        instant(available_at), None if ends == NEVER else ends, order,
    )  # fmt: skip


def accounts_of(tenant_id: int, member: dict[str, Any]) -> Accounts:
    """A member's accounts from its row, still without lots, balances and holds."""
    grace = member["tier_grace_until"]
    return Accounts(
        tenant_id=tenant_id,
        member_id=member["id"],
        seq=member["seq"],
        hash=bytes(member["hash"]),
        settled_at=instant(member["settled_at"]),
        booked_at=instant(member["booked_at"]),
        standing=Standing(
            member["tier"],
            instant(member["tier_since"]),
            None if grace is None else instant(grace),
        ),
        is_member=member.get("kind", MEMBER) == MEMBER,
    )


def fill(
    accounts: dict[int, Accounts],
    lots: Sequence[Sequence[Any]],
    sums: Sequence[Sequence[Any]],
    holds: Sequence[Sequence[Any]],
) -> None:
    """Put the rows of ``LOTS``, ``ACCOUNTS`` and ``HOLDS`` into their members' accounts."""
    for member_id, *columns in lots:
        accounts[member_id].lots[columns[0]] = lot_of(columns)
    for member_id, unit, balance, deficit in sums:
        accounts[member_id].balances[unit] = balance
        if deficit:
            accounts[member_id].deficits[unit] = deficit
    for member_id, reservation_id, expires_at, lot_id, unit, amount, row_id in holds:
        known = accounts[member_id].holds.get(reservation_id)
        drawn = known.draws if known else ()
        if lot_id is not None:
            drawn = (*drawn, Draw(lot_id, unit, amount, row_id=row_id))
        accounts[member_id].holds[reservation_id] = Hold(reservation_id, instant(expires_at), drawn)
