"""What a unit of work reads: the ruleset, the members under their locks, and the rows.

Everything is locked in one order (the tenant's orders, carts, orders of guests, members by id),
so units never wait for each other in a circle.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from loyalty.domain.books.accounts import Accounts
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import GENESIS, instant
from loyalty.domain.books.lots import NEVER
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.tiers import initial
from loyalty.errors import NotFound
from loyalty.services.books.desk import Desk, Needs, Row
from loyalty.storage import ledger as sql
from loyalty.storage import merges as merges_sql
from loyalty.storage.statements import Sql, Unit, side_by_side, together
from loyalty.storage.units import Collision

Rulesets = Callable[[int, int, Sequence[Sequence[Any]] | None], Ruleset | None]
"""``(tenant_id, version, rows)``: the ruleset if it is in memory or can be read from the rows of
``RULESET_SOURCES``."""

Known = dict[int, tuple[int, Accounts]]
"""A member's version and accounts by id, as an import last booked them."""


def first_step(
    tenant_id: int, needs: Needs, rulesets: Rulesets
) -> Unit[tuple[Ruleset, datetime, set[int] | None]]:
    """What a unit asks first of all.

    Returns:
        The ruleset that the database says is current; until when the tenant's days are closed;
        and the ids of the members to lock, None where these are known by name alone.
    """
    if _by_name_alone(needs):
        return (*(yield from _current_ruleset(tenant_id, rulesets)), None)
    (ruleset, closed_until), wanted = yield from side_by_side(
        _current_ruleset(tenant_id, rulesets), _lock_others(tenant_id, needs)
    )
    return ruleset, closed_until, wanted


def _by_name_alone(needs: Needs) -> bool:
    return not (
        needs.reservations
        or needs.carts
        or needs.orders
        or needs.holders
        or needs.open_of
        or needs.own
    )


def _current_ruleset(tenant_id: int, rulesets: Rulesets) -> Unit[tuple[Ruleset, datetime]]:
    """A part of the unit's first statement, whatever that waits for besides: whoever closes a day
    waits for the units that were under way before the mark moved (``services.roots``).
    """
    rows = yield sql.CURRENT_RULESET(tenant_id)
    version, closed_until = rows[0] if rows else (0, 0)
    ruleset = yield from ruleset_version(tenant_id, version, rulesets)
    return ruleset, instant(closed_until)


def ruleset_version(tenant_id: int, version: int, rulesets: Rulesets) -> Unit[Ruleset]:
    found = rulesets(tenant_id, version, None)
    if found is None:
        found = rulesets(tenant_id, version, (yield sql.RULESET_SOURCES(tenant_id, version)))
    if found is None:
        raise NotFound("published program of tenant", str(tenant_id))
    return found


def load_members(desk: Desk, needs: Needs, wanted: set[int] | None) -> Unit[None]:
    """Lock every member the commands concern, in id order.

    Args:
        wanted: their ids; None: those of the members that ``needs`` names.

    Members that a command would enrol come with them: nobody else sees these, and they are booked
    only if a command does something with them.
    """
    tenant_id = desk.tenant_id
    if wanted is None:
        rows = yield sql.LOCK_BY_NAME(tenant_id, list(needs.members))
    else:
        rows = yield sql.LOCK_BY_ID(tenant_id, sorted(wanted))
    for values in rows:
        row = dict(zip(sql.MEMBER_COLUMNS, values, strict=True))
        desk.members[row["id"]] = row
        desk.own[row["external_id"]] = row["id"]
        desk.names[row["external_id"]] = row["merged_into"] or row["id"]
    yield from _load_merged(desk, needs)
    # A name that another process enrols meanwhile is a DuplicateKey: the unit runs again.
    tier = initial(desk.ruleset.tier_policy, desk.now).tier
    for name in needs.enrols:
        if name not in desk.names:
            fresh = _new_member(desk.ids.next(), name, tier, desk.now)
            desk.members[fresh["id"]] = fresh
            desk.names[name] = fresh["id"]
            desk.fresh.add(fresh["id"])


def _load_merged(desk: Desk, needs: Needs) -> Unit[None]:
    """Names that answer for the member their own was merged into.

    Raises:
        Collision: somebody was merged or parted while the locks were waited for.
    """
    locked = desk.members.keys()
    if needs.own:
        group = {row[0] for row in (yield merges_sql.GROUP(desk.tenant_id, list(needs.own)))}
        moved = not group <= locked
    else:
        moved = any(row["merged_into"] is not None for row in desk.members.values())
    missing = [name for name in needs.members if name not in desk.names]
    if missing and not moved:
        for name, id, into in (yield merges_sql.ALIASES(desk.tenant_id, missing)):
            desk.names[name] = into or id
            moved = moved or desk.names[name] not in locked
    if moved:
        raise Collision("a member was merged or parted meanwhile")


def _lock_others(tenant_id: int, needs: Needs) -> Unit[set[int]]:
    """Lock what commands of no member may meet at; returns ids of the members to lock.

    Whom a reservation or an order belongs to changes only when members merge, so it may be read
    before the lock and is looked at again under it (``load_rows``); so is the member of an open
    cart. A guest's order may get a member, and is read again under its own lock.
    """
    wanted: set[int | None] = set(needs.holders)
    of_reservations, of_orders, *more = yield from side_by_side(
        asked(sql.HOLDERS, tenant_id, needs.reservations),
        _orders_to_lock(tenant_id, needs),
        asked(sql.IDS_OF_NAMES, tenant_id, needs.members),
        asked(merges_sql.GROUP, tenant_id, needs.own),
        asked(sql.HOLDERS_OF_MEMBERS, tenant_id, needs.open_of),
    )
    carts = dict.fromkeys(needs.carts)
    for _, member_id, cart, holder_id in of_reservations:
        if member_id is None:
            carts[cart] = None
        wanted.update((member_id, holder_id))
    if carts:
        yield sql.LOCK_CARTS(tenant_id, list(carts))
    guests = {id for id, member_id, _ in of_orders if member_id is None}
    if guests:
        yield sql.LOCK_GUEST_ORDERS(tenant_id, sorted(guests))
        # A guest's order may have got a member until the lock was had, and none since.
        of_orders = yield sql.HOLDERS_OF_ORDERS(tenant_id, list(needs.orders))
    for _, *ids in of_orders:
        wanted.update(ids)
    for rows in more:
        wanted.update(row[0] for row in rows)
    for row in (yield from asked(sql.HOLDERS_OF_CARTS, tenant_id, needs.carts)):
        wanted.update(row)
    return {id for id in wanted if id is not None}


def _orders_to_lock(tenant_id: int, needs: Needs) -> Unit[list[tuple[Any, ...]]]:
    """Whom orders belong to, and no order booked unseen while a refund looks for its own.

    Before all other locks: whoever waits for this one holds nothing that others wait for.
    """
    if not needs.orders:
        return []
    orders = list(needs.orders)
    if not needs.refunds:
        _, found = yield from together(
            sql.SHARE_ORDERS(tenant_id), sql.HOLDERS_OF_ORDERS(tenant_id, orders)
        )
        return found
    known = yield sql.NAMES_OF_ORDERS(tenant_id, orders)
    if len(known) < len(orders):
        yield sql.LOCK_ORDERS(tenant_id)
    return (yield sql.HOLDERS_OF_ORDERS(tenant_id, orders))


def asked(statement: Sql, tenant_id: int, names: Sequence[Any]) -> Unit[list[tuple[Any, ...]]]:
    """What a statement finds for names; nothing is asked for none."""
    if not names:
        return []
    return (yield statement(tenant_id, list(names)))


def _new_member(id: int, name: str, tier: str, now: datetime) -> Row:
    """A prospect: known by an order or an event, not yet enrolled."""
    # What came before its first booking is unknown, so nothing is settled yet: an import may
    # go on from long ago.
    return {
        "id": id, "external_id": name, "state": "PROSPECT", "version": 1, "joined_at": now,
        "hash": GENESIS, "seq": 0, "settled_at": 0, "booked_at": 0, "next_change_at": NEVER,
        "tier": tier, "tier_since": 0, "tier_grace_until": None, "profile_at": None,
        "kind": sql.MEMBER, "merged_into": None,
    }  # fmt: skip


def load_accounts(desk: Desk, known: Known | None) -> Unit[None]:
    """The books of everybody locked. They are there at once, and filled in the first step."""
    accounts = {id: sql.accounts_of(desk.tenant_id, row) for id, row in desk.members.items()}
    fresh = []
    for id, row in desk.members.items():
        version, kept = known.pop(id, (0, None)) if known is not None else (0, None)
        if kept is not None and version == row["version"] and kept.hash == bytes(row["hash"]):
            accounts[id] = kept
        elif id not in desk.fresh and (row["seq"] or known is None):
            fresh.append(id)
    booked_at = max(desk.now, desk.closed_until)
    desk.books = {id: Book(value, booked_at, desk.ids.next) for id, value in accounts.items()}
    if fresh:
        found = yield from together(
            sql.LOTS(desk.tenant_id, fresh),
            sql.ACCOUNTS(desk.tenant_id, fresh),
            sql.HOLDS(desk.tenant_id, fresh),
        )
        sql.fill(accounts, *found)
        yield from load_lots(
            desk.tenant_id,
            accounts,
            [draw.lot_id for id in fresh for h in accounts[id].holds.values() for draw in h.draws],
        )


def load_lots(
    tenant_id: int, accounts: Mapping[int, Accounts], wanted: Iterable[int]
) -> Unit[None]:
    """Lots that ended long ago but that a hold or an order still names."""
    missing = dict.fromkeys(wanted)
    for value in accounts.values() if missing else ():
        for lot_id in missing.keys() & value.lots.keys():
            del missing[lot_id]
    if missing:
        for member_id, *columns in (yield sql.LOTS_BY_ID(tenant_id, list(missing))):
            # An order booked since the locks were taken may be of a member that is not locked.
            if member_id in accounts:
                accounts[member_id].lots[columns[0]] = sql.lot_of(columns)
