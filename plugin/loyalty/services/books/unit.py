"""One unit of work: lock, settle, decide each command, book everything at once.

This is the only door to the ledger. A live request is a list of one or of those that wait
together, an import a list of many; each command gets its own verdict.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson

from loyalty.domain.books.settle import evaluate_tier, settle
from loyalty.errors import KeyReused, LoyaltyError, StoredRefusal
from loyalty.ids import Ids, IdStream
from loyalty.services.books.booking import effects_of
from loyalty.services.books.desk import (
    Booked,
    Command,
    Desk,
    Idempotent,
    Loaded,
    MemberChanged,
    Needs,
    Prepares,
    Row,
    Verdict,
)
from loyalty.services.books.loading import (
    Known,
    Rulesets,
    first_step,
    load_accounts,
    load_members,
    ruleset_version,
)
from loyalty.services.books.loading_rows import load_rows
from loyalty.services.books.quotas import load_quotas
from loyalty.services.members.subjects import subject_of_command
from loyalty.storage import checkout as checkout_sql
from loyalty.storage.statements import Unit, side_by_side

_IDS_PER_COMMAND = 16
_IDS_MAX = 1_024
_NAMED = "\x1f"
"""Around the number of a member that a call names, in a refusal that is kept."""


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
    ruleset, closed_until, wanted = yield from first_step(tenant_id, needs, rulesets)
    desk = Desk(tenant_id, now, ids, ruleset, Loaded(), closed_until)
    yield from load_members(desk, needs, wanted)
    # In step, the accounts first: the rows' lots are looked for among theirs.
    _, _, stored = yield from side_by_side(
        load_accounts(desk, known), load_rows(desk, needs), _stored(tenant_id, commands)
    )
    yield from load_quotas(desk, needs)
    if len(commands) == 1 and isinstance(commands[0], Prepares):
        yield from commands[0].prepare(desk)
    versions = {row["ruleset_version"] for row in desk.loaded.orders.values()}
    # An order keeps what refunds will need of the rules: of those that it was quoted by.
    versions |= {
        row["quoted"]["ruleset"][1] for row in desk.loaded.reservations.values() if "quoted" in row
    }
    for version in versions:
        desk.rulesets[version] = yield from ruleset_version(tenant_id, version, rulesets)
    verdicts = [_verdict(desk, command, stored) for command in commands]
    changed = _versions_moved(desk)
    yield effects_of(desk, {change.member_id for change in changed})
    for statement in desk.after:
        _ = yield statement
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
        return _replay(orjson.loads(first[1]), command.needs().members)
    concerned = [desk.books[id] for id in _members_of(desk, command.needs())]
    marks = [book.mark() for book in concerned]
    noted = desk.noted()
    for book in concerned:
        settle(book, desk.ruleset, min(command.at or desk.now, desk.now))
    starts = [len(book.changes.transactions) for book in concerned]
    try:
        outcome = command.decide(desk)
    except LoyaltyError as refusal:
        for book, mark in zip(concerned, marks, strict=True):
            book.back_to(mark)
        desk.back_to(noted)
        if key and not refusal.retryable:
            names = command.needs().members
            _remember(desk, command, key, stored, {"refusal": _refused(refusal, names)})
        return Verdict(None, refusal)
    for book in concerned:
        evaluate_tier(book, desk.ruleset)
        if desk.members[book.accounts.member_id]["state"] == "ERASED":
            # A refund may still come; nobody is left to whom it could give anything back.
            book.forfeit(book.at)
    if key or desk.reasons:
        booked = [
            item.id
            for book, start in zip(concerned, starts, strict=True)
            for item in book.changes.transactions[start:]
            # What may name a person is not kept of one who was erased.
            if desk.members[item.member_id]["state"] != "ERASED"
        ]
        _note(desk, key, booked)
    if key:
        _remember(desk, command, key, stored, {"outcome": outcome})
    return Verdict(outcome, None)


def _note(desk: Desk, key: Idempotent | None, transactions: Sequence[int]) -> None:
    """Who asked for transactions, with which key, and why: beside the ledger, to be erasable."""
    client, text = (key.client, key.key) if key else (None, None)
    rows = [(id, desk.tenant_id, client, text, desk.reasons.pop(id, None)) for id in transactions]
    if rows:
        desk.insert_tuples("transaction_note", rows)


def _members_of(desk: Desk, needs: Needs) -> list[int]:
    """Ids of the members that one command concerns."""
    loaded = desk.loaded
    found: dict[int | None, None] = {desk.names.get(name): None for name in needs.members}
    for id in (*needs.reservations, *(loaded.open_carts.get(cart) for cart in needs.carts)):
        if id is not None and id in loaded.reservations:
            found[loaded.reservations[id]["member_id"]] = None
            found.update(dict.fromkeys(desk.holders_of(id)))
    for name in needs.orders:
        if name in loaded.orders:
            order = loaded.orders[name]
            found[order["member_id"]] = None
            if order["reservation_id"] is not None:
                found.update(dict.fromkeys(desk.holders_of(order["reservation_id"])))
    found.update(dict.fromkeys(needs.holders))
    leaving = {desk.names.get(name) for name in needs.open_of}
    for id, row in loaded.reservations.items() if leaving else ():
        if row["member_id"] in leaving:
            found.update(dict.fromkeys(desk.holders_of(id)))
    return [id for id in found if id is not None and id in desk.books]


def _refused(refusal: LoyaltyError, names: Sequence[str]) -> Row:
    """A refusal to keep: its message without the members that the call names.

    They may be of people who are no members, so erasing could not find them.
    """
    message = refusal.message
    for number, name in enumerate(names):
        message = message.replace(repr(name), f"{_NAMED}{number}{_NAMED}")
    return {
        "code": refusal.code,
        "message": message,
        "field": refusal.field,
        "data": refusal.data,
    }


def _replay(first: Row, names: Sequence[str]) -> Verdict:
    refused = first.get("refusal")
    if refused:
        field, message = tuple(refused["field"]), refused["message"]
        for number, name in enumerate(names):
            message = message.replace(f"{_NAMED}{number}{_NAMED}", repr(name))
        refusal = StoredRefusal(refused["code"], message, field, refused["data"])
        return Verdict(None, refusal, replayed=True)
    return Verdict(first["outcome"], None, replayed=True)


def _remember(desk: Desk, command: Command, key: Idempotent, stored: Stored, first: Row) -> None:
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
        subject=subject_of_command(desk, command.needs()),
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
