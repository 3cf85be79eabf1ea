"""What a unit of work writes, from the books and rows of its desk."""

from collections.abc import Sequence

from loyalty.domain.books.accounts import DrawState
from loyalty.domain.books.book import Book
from loyalty.domain.books.settle import next_change_at
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.services.books.desk import Desk, Row
from loyalty.storage.effects import Effects


def effects_of(desk: Desk, changed: set[int]) -> Effects:
    """All rows of a unit, to be booked in one go.

    Args:
        changed: ids of the members whose version moved.
    """
    effects = Effects()
    # The same commands make rows in the same sequence, whatever numbers their members have.
    books = [desk.books[id] for id in sorted(changed)]
    for id in desk.fresh & changed:
        effects.insert("member", {"tenant_id": desk.tenant_id} | desk.members[id])
    _ledger_rows(effects, desk, books)
    _lot_rows(effects, desk, books)
    for book in books:
        _account_rows(effects, desk, book)
        _hold_rows(effects, desk, book)
        _member_row(
            effects, desk.tenant_id, desk.members[book.accounts.member_id], book, desk.ruleset
        )
    for table, rows in desk.tuples:
        effects.insert_rows(table, rows)
    for write in desk.writes:
        if write.id is None:
            effects.insert(write.table, write.values)
        elif not write.values:
            effects.delete(write.table, desk.tenant_id, write.id)
        else:
            effects.update(write.table, desk.tenant_id, write.id, **write.values)
    return effects


def _ledger_rows(effects: Effects, desk: Desk, books: Sequence[Book]) -> None:
    tenant = desk.tenant_id
    transactions = [item for book in books for item in book.changes.transactions]
    headers = [
        (
            item.id, tenant, item.member_id, item.seq, item.kind, item.cause.order_id,
            item.cause.reservation_id, item.cause.refund_id, item.cause.reason,
            item.ruleset_version, item.effective_at, item.booked_at, item.hash,
        )
        for item in transactions
    ]  # fmt: skip
    effects.insert_rows("ledger_transaction", headers)
    entries = [
        (
            entry.id, tenant, item.id, entry.account, entry.unit, entry.amount, entry.lot_id,
            entry.opens and entry.opens.available_at, entry.opens and entry.opens.expires_at,
        )
        for item in transactions
        for entry in item.entries
    ]  # fmt: skip
    effects.insert_rows("ledger_entry", entries)
    steps = [
        (
            desk.ids.next(), tenant, book.accounts.member_id, change.at, change.tier_from,
            change.tier_to, change.reason, book.booked_at, change.since_from, change.grace_until,
        )
        for book in books
        for change in book.changes.tier_changes
    ]  # fmt: skip
    effects.insert_rows("tier_change", steps)


def _lot_rows(effects: Effects, desk: Desk, books: Sequence[Book]) -> None:
    opened = [
        (book.accounts.member_id, book.accounts.lots[lot_id])
        for book in books
        for lot_id in book.changes.lots_opened
    ]
    rows = [
        (
            lot.id, desk.tenant_id, member_id, lot.unit, lot.amount, lot.remaining, lot.reversed,
            lot.expired, lot.earned_at, lot.available_at, lot.ends_at, lot.order_id,
        )
        for member_id, lot in opened
    ]  # fmt: skip
    effects.insert_rows("lot", rows)
    reversals = [
        (desk.ids.next(), desk.tenant_id, lot_id, amount, book.at, book.booked_at)
        for book in books
        for lot_id, amount in book.reversed().items()
    ]
    effects.insert_rows("lot_reversal", reversals)


def _account_rows(effects: Effects, desk: Desk, book: Book) -> None:
    tenant, accounts, changes = desk.tenant_id, book.accounts, book.changes
    for lot_id in changes.lots_moved:
        lot = accounts.lots[lot_id]
        effects.update(
            "lot",
            tenant,
            lot.id,
            remaining=lot.remaining,
            reversed=lot.reversed,
            expired=lot.expired,
        )
    for unit in changes.units:
        effects.upsert(
            "account",
            (
                desk.ids.next(), tenant, accounts.member_id, unit,
                accounts.balances.get(unit, 0), accounts.deficits.get(unit, 0),
            ),
            key=("tenant_id", "member_id", "unit"),
        )  # fmt: skip


def _hold_rows(effects: Effects, desk: Desk, book: Book) -> None:
    """Draws of new holds, and the states that time or an extension changed.

    The reservation's own row is the command's to write: it knows the cart and the quote.
    """
    closed = book.changes.holds_closed
    for hold, state in closed.values():
        for draw in hold.draws:
            if draw.row_id is not None:
                effects.update("draw", desk.tenant_id, draw.row_id, state=state)
    for hold in book.changes.holds_opened:
        state = closed[hold.reservation_id][1] if hold.reservation_id in closed else DrawState.HELD
        for draw in hold.draws:
            # A late commit holds again under the same reservation, maybe from the same lot.
            effects.upsert(
                "draw",
                (
                    desk.ids.next(), desk.tenant_id, hold.reservation_id, draw.lot_id,
                    book.accounts.member_id, draw.unit, draw.amount, draw.returned, state,
                ),
                key=("tenant_id", "reservation_id", "lot_id"),
            )  # fmt: skip
    for reservation_id in book.changes.holds_expired:
        effects.update("reservation", desk.tenant_id, reservation_id, state="EXPIRED")
    for reservation_id, expires_at in book.changes.holds_moved.items():
        effects.update("reservation", desk.tenant_id, reservation_id, expires_at=expires_at)


def _member_row(effects: Effects, tenant_id: int, row: Row, book: Book, ruleset: Ruleset) -> None:
    accounts = book.accounts
    standing = accounts.standing
    effects.update(
        "member",
        tenant_id,
        accounts.member_id,
        version=row["version"],
        seq=accounts.seq,
        hash=accounts.hash,
        settled_at=accounts.settled_at,
        booked_at=book.booked_at,
        next_change_at=next_change_at(accounts, ruleset),
        tier=standing.tier,
        tier_since=standing.since,
        tier_grace_until=standing.grace_until,
    )
