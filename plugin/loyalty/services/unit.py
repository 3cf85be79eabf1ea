"""One unit of work: lock, settle, decide each command, book everything at once.

This is the only door to the ledger. A live request is a list of one or of those that wait
together, an import a list of many; each command gets its own verdict.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from loyalty.domain.accounts import Accounts
from loyalty.domain.book import Book
from loyalty.domain.ledger import GENESIS, instant
from loyalty.domain.lots import NEVER
from loyalty.domain.order import TierAt
from loyalty.domain.ruleset import Ruleset
from loyalty.domain.settle import evaluate_tier, settle
from loyalty.domain.tiers import initial
from loyalty.errors import KeyReused, LoyaltyError, NotFound, StoredRefusal
from loyalty.ids import Ids, IdStream
from loyalty.services.booking import effects_of
from loyalty.services.desk import (
    Booked,
    Command,
    Desk,
    Idempotent,
    Loaded,
    MemberChanged,
    Needs,
    Row,
    Verdict,
)
from loyalty.storage import checkout as checkout_sql
from loyalty.storage import ledger as sql
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Sql, Unit

Rulesets = Callable[[int, int, str | None], Ruleset | None]
"""``(tenant_id, version, source)``: the ruleset if it is in memory or can be read from source."""

Known = dict[int, tuple[int, Accounts]]
"""A member's version and accounts by id, as an import last booked them."""


_IDS_PER_COMMAND = 16
_IDS_MAX = 1_024


def unit_of_work(
    tenant_id: int,
    commands: Sequence[Command],
    *,
    now: datetime,
    ids: Ids,
    rulesets: Rulesets,
    known: Known | None = None,
) -> Unit[Booked]:
    """Decide and book ``commands`` of one tenant in one transaction.

    Args:
        now: wall-clock moment of booking.
        known: for imports, accounts to go on from instead of reading them again, where
            nobody else has touched them. A unit takes out what it works at, and puts it back
            once it is booked, so what a failed one changed is read again.
    """
    ids = IdStream(ids, min(_IDS_PER_COMMAND * len(commands), _IDS_MAX))
    needs = _joined(command.needs() for command in commands)
    ruleset = yield from _ruleset(tenant_id, rulesets)
    members = yield from _locked(tenant_id, needs, ruleset, now, ids)
    desk = Desk(tenant_id, now, ids, ruleset, Loaded())
    desk.members = {row["id"]: row for row in members}
    desk.names = {row["external_id"]: row["id"] for row in members}
    yield from _load_accounts(desk, known)
    yield from _load_rows(desk, needs)
    for version in {row["ruleset_version"] for row in desk.loaded.orders.values()}:
        desk.rulesets[version] = yield from _version(tenant_id, version, rulesets)
    stored = yield from _stored(tenant_id, commands)
    verdicts = [_verdict(desk, command, stored) for command in commands]
    changed = _versions_moved(desk)
    yield effects_of(desk, {change.member_id for change in changed})
    if known is not None:
        known.update(
            {id: (desk.members[id]["version"], book.accounts) for id, book in desk.books.items()}
        )
    return Booked(verdicts, changed)


def _joined(needs: Iterable[Needs]) -> Needs:
    """All needs of a unit, each name once and in order."""
    columns: list[dict[Any, None]] = [{} for _ in Needs._fields]
    for need in needs:
        for column, values in zip(columns, need, strict=True):
            column.update(dict.fromkeys(values))
    return Needs(*(tuple(column) for column in columns))


def _ruleset(tenant_id: int, rulesets: Rulesets) -> Unit[Ruleset]:
    """The ruleset that the database says is current."""
    rows = yield sql.CURRENT_RULESET(tenant_id)
    return (yield from _version(tenant_id, rows[0][0] if rows else 0, rulesets))


def _version(tenant_id: int, version: int, rulesets: Rulesets) -> Unit[Ruleset]:
    found = rulesets(tenant_id, version, None)
    if found is None:
        source = yield sql.RULESET_SOURCE(tenant_id, version)
        found = rulesets(tenant_id, version, source[0][0]) if source else None
    if found is None:
        raise NotFound("published program of tenant", str(tenant_id))
    return found


def _locked(
    tenant_id: int, needs: Needs, ruleset: Ruleset, now: datetime, ids: Ids
) -> Unit[list[Row]]:
    """Lock every member the commands concern, in id order; enrol those that are missing."""
    if needs.orders:
        yield from _lock_orders(tenant_id, needs)
    if needs.carts:
        yield sql.LOCK_CARTS(tenant_id, list(needs.carts))
    if not (needs.reservations or needs.carts or needs.orders):
        rows = yield sql.LOCK_BY_NAME(tenant_id, list(needs.members))
    else:
        # Which member a reservation or an order belongs to never changes, so it may be read
        # before the lock; the member of an open cart may, and is looked at again under it.
        wanted: dict[int, None] = {}
        for statement, names in (
            (sql.IDS_OF_NAMES, needs.members),
            (sql.MEMBERS_OF_RESERVATIONS, needs.reservations),
            (sql.MEMBERS_OF_CARTS, needs.carts),
            (sql.MEMBERS_OF_ORDERS, needs.orders),
        ):
            if names:
                found = yield statement(tenant_id, list(names))
                wanted.update(dict.fromkeys(row[0] for row in found))
        rows = yield sql.LOCK_BY_ID(tenant_id, sorted(wanted))
    members = [dict(zip(sql.MEMBER_COLUMNS, row, strict=True)) for row in rows]
    present = {row["external_id"] for row in members}
    missing = [name for name in needs.enrols if name not in present]
    if missing:
        effects = Effects()
        standing = initial(ruleset.tier_policy, now)
        for name in missing:
            row = _new_member(ids.next(), name, standing.tier, now)
            effects.insert("member", {"tenant_id": tenant_id} | row)
        # A name that another process enrols meanwhile is a DuplicateKey: the unit runs again.
        yield effects
        rows = yield sql.LOCK_BY_NAME(tenant_id, missing)
        members += [dict(zip(sql.MEMBER_COLUMNS, row, strict=True)) for row in rows]
    return members


def _lock_orders(tenant_id: int, needs: Needs) -> Unit[None]:
    """Keep orders from being booked unseen while a refund looks for its own.

    Before all other locks: whoever waits for this one holds nothing that others wait for.
    """
    if not needs.refunds:
        yield sql.SHARE_ORDERS(tenant_id)
        return
    known = yield sql.NAMES_OF_ORDERS(tenant_id, list(needs.orders))
    if len(known) < len(needs.orders):
        yield sql.LOCK_ORDERS(tenant_id)


def _new_member(id: int, name: str, tier: str, now: datetime) -> Row:
    """A prospect: known by an order or an event, not yet enrolled."""
    # What came before its first booking is unknown, so nothing is settled yet: an import may
    # go on from long ago.
    return {
        "id": id, "external_id": name, "state": "PROSPECT", "version": 1, "joined_at": now,
        "hash": GENESIS, "seq": 0, "settled_at": 0, "booked_at": 0, "next_change_at": NEVER,
        "tier": tier, "tier_since": 0,
    }  # fmt: skip


def _load_accounts(desk: Desk, known: Known | None) -> Unit[None]:
    accounts = {id: sql.accounts_of(desk.tenant_id, row) for id, row in desk.members.items()}
    fresh = []
    for id, row in desk.members.items():
        version, kept = known.pop(id, (0, None)) if known is not None else (0, None)
        if kept is not None and version == row["version"] and kept.hash == bytes(row["hash"]):
            accounts[id] = kept
        elif row["seq"] or known is None:
            fresh.append(id)
    if fresh:
        lots = yield sql.LOTS(desk.tenant_id, fresh)
        sums = yield sql.ACCOUNTS(desk.tenant_id, fresh)
        holds = yield sql.HOLDS(desk.tenant_id, fresh)
        sql.fill(accounts, lots, sums, holds)
        yield from _load_lots(
            desk.tenant_id,
            accounts,
            [draw.lot_id for id in fresh for h in accounts[id].holds.values() for draw in h.draws],
        )
    desk.books = {id: Book(value, desk.now, desk.ids.next) for id, value in accounts.items()}


def _load_lots(
    tenant_id: int, accounts: Mapping[int, Accounts], wanted: Iterable[int]
) -> Unit[None]:
    """Lots that ended long ago but that a hold or an order still names."""
    missing = dict.fromkeys(wanted)
    for value in accounts.values() if missing else ():
        for lot_id in missing.keys() & value.lots.keys():
            del missing[lot_id]
    if missing:
        for member_id, *columns in (yield sql.LOTS_BY_ID(tenant_id, list(missing))):
            accounts[member_id].lots[columns[0]] = sql.lot_of(columns)


def _rows(
    statement: Sql, columns: Sequence[str], tenant_id: int, names: Sequence[Any]
) -> Unit[list[Row]]:
    if not names:
        return []
    found = yield statement(tenant_id, list(names))
    return [dict(zip(columns, row, strict=True)) for row in found]


def _load_rows(desk: Desk, needs: Needs) -> Unit[None]:
    """Orders, refunds, reservations and what they name."""
    q, tenant, loaded = checkout_sql, desk.tenant_id, desk.loaded
    orders = yield from _rows(q.ORDERS, q.ORDER_COLUMNS, tenant, needs.orders)
    refunds = yield from _rows(q.REFUNDS, q.REFUND_COLUMNS, tenant, needs.refunds)
    waiting = yield from _rows(q.REFUNDS_WAITING, q.REFUND_COLUMNS, tenant, needs.orders)
    loaded.orders = {row["external_id"]: row for row in orders}
    loaded.refunds = {row["external_id"]: row for row in refunds}
    for row in waiting:
        loaded.refunds_waiting.setdefault(row["order_external_id"], []).append(row)
    named = dict.fromkeys((*needs.reservations, *(r["reservation_id"] for r in orders)))
    named.pop(None, None)
    reservations = yield from _rows(q.RESERVATIONS, q.RESERVATION_COLUMNS, tenant, list(named))
    reservations += yield from _rows(q.OPEN_CARTS, q.RESERVATION_COLUMNS, tenant, needs.carts)
    loaded.reservations = {row["id"]: row for row in reservations}
    loaded.open_carts = {
        row["cart_id"]: row["id"] for row in reservations if row["state"] == "HELD"
    }
    draws = yield from _rows(q.DRAWS, q.DRAW_COLUMNS, tenant, list(loaded.reservations))
    for row in draws:
        loaded.draws.setdefault(row["reservation_id"], []).append(row)
    lots = [row["lot_id"] for row in draws]
    for row in orders:
        lots += [earned[2] for earned in orjson.loads(row["context"])["earned"]]
    accounts = {id: book.accounts for id, book in desk.books.items()}
    yield from _load_lots(tenant, accounts, lots)
    if needs.history_of:
        ids = [desk.names[name] for name in needs.history_of if name in desk.names]
        for member_id, at, tier in (yield sql.TIER_HISTORY(tenant, ids)):
            step = TierAt(instant(at), tier)
            loaded.history[member_id] = (*loaded.history.get(member_id, ()), step)


Stored = dict[tuple[str, str, str], tuple[str, str]]


def _stored(tenant_id: int, commands: Sequence[Command]) -> Unit[Stored]:
    """First outcomes of the commands' keys. Asked under the lock, so none can slip in after."""
    keys = [command.idempotent.key for command in commands if command.idempotent]
    if not keys:
        return {}
    rows = yield checkout_sql.KEYS(tenant_id, keys)
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}


def _verdict(desk: Desk, command: Command, stored: Stored) -> Verdict:
    """Decide one command; a refused one leaves no trace but its stored refusal."""
    key = command.idempotent
    first = stored.get(key[:3]) if key else None
    if key and first:
        if first[0] != key.body_hash:
            return Verdict(None, KeyReused(key.key))
        return _replay(orjson.loads(first[1]))
    concerned = [desk.books[id] for id in _members_of(desk, command.needs())]
    marks = [book.mark() for book in concerned]
    noted = desk.noted()
    for book in concerned:
        settle(book, desk.ruleset, min(command.at or desk.now, desk.now))
    try:
        outcome = command.decide(desk)
    except LoyaltyError as refusal:
        for book, mark in zip(concerned, marks, strict=True):
            book.back_to(mark)
        desk.back_to(noted)
        if key and not refusal.retryable:
            _remember(desk, key, stored, {"refusal": _refused(refusal)})
        return Verdict(None, refusal)
    for book in concerned:
        evaluate_tier(book, desk.ruleset)
    if key:
        _remember(desk, key, stored, {"outcome": outcome})
    return Verdict(outcome, None)


def _members_of(desk: Desk, needs: Needs) -> list[int]:
    """Ids of the members that one command concerns."""
    loaded = desk.loaded
    found: dict[int | None, None] = {desk.names.get(name): None for name in needs.members}
    for id in (*needs.reservations, *(loaded.open_carts.get(cart) for cart in needs.carts)):
        if id is not None and id in loaded.reservations:
            found[loaded.reservations[id]["member_id"]] = None
    for name in needs.orders:
        if name in loaded.orders:
            found[loaded.orders[name]["member_id"]] = None
    return [id for id in found if id is not None and id in desk.books]


def _refused(refusal: LoyaltyError) -> Row:
    return {
        "code": refusal.code,
        "message": refusal.message,
        "field": refusal.field,
        "data": refusal.data,
    }


def _replay(first: Row) -> Verdict:
    refused = first.get("refusal")
    if refused:
        field = tuple(refused["field"])
        refusal = StoredRefusal(refused["code"], refused["message"], field, refused["data"])
        return Verdict(None, refusal, replayed=True)
    return Verdict(first["outcome"], None, replayed=True)


def _remember(desk: Desk, key: Idempotent, stored: Stored, first: Row) -> None:
    """Book the key with its effect; a repeat within the same unit finds it too."""
    text = orjson.dumps(first).decode()
    stored[key[:3]] = (key.body_hash, text)
    desk.insert(
        "idempotency",
        client=key.client,
        operation=key.operation,
        key=key.key,
        body_hash=key.body_hash,
        outcome=text,
        created_at=desk.now,
    )


def _versions_moved(desk: Desk) -> list[MemberChanged]:
    """Give every member that changed its next version."""
    changed = []
    for id, book in desk.books.items():
        reason = desk.touched.get(id)
        if reason is None and not book.has_changed:
            continue
        row = desk.members[id]
        row["version"] += 1
        tenant, name, version = desk.tenant_id, row["external_id"], row["version"]
        changed.append(MemberChanged(tenant, id, name, version, reason or "settled"))
    return changed
