"""Exports changed at random, as crudely or as carefully as a forger might do it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from loyalty.ledger_verifier import GENESIS, HASHED, Bad, Holder, Tree, chain_line, comma, written

Row = dict[str, Any]
Lines = list[bytes]


@dataclass
class Account:
    """A holder of an export: its header and its transactions."""

    id: int
    transactions: list[Row]


@dataclass
class Book:
    """An export in parts, to be changed and written anew with everything computed anew."""

    tenant: int
    days: list[str]
    holders: list[Account]

    @classmethod
    def read(cls, text: bytes) -> Book:
        rows = [json.loads(line) for line in text.splitlines()]
        book = cls(rows[0]["tenant"], [], [])
        for row in rows:
            if "root" in row:
                book.days.append(row["root"])
            elif "holder" in row:
                book.holders.append(Account(row["holder"], []))
            elif "transaction" in row:
                book.holders[-1].transactions.append(row)
        return book

    def write(self) -> bytes:
        """All lines, consistent in themselves as far as the history is possible at all."""
        trees, body, transactions, entries = [Tree(day) for day in self.days], [], 0, 0
        for account in sorted(self.holders, key=lambda account: account.id):
            holder, ends = Holder(account.id), {}
            lines = []
            for seq, row in enumerate(account.transactions, start=1):
                row["seq"] = seq
                head = [self.tenant, row["transaction"], account.id, *(row[key] for key in HASHED)]
                previous = holder.hash
                text = ["loyalty-ledger-1", previous, comma(head)]
                text += map(chain_line, row["entries"])
                row["hash"] = hashlib.sha256("\n".join(text).encode()).hexdigest()
                try:
                    holder.take(self.tenant, row)
                except Bad:
                    holder.hash, holder.seq = row["hash"], seq
                for tree in trees:
                    if row["booked"] < tree.end:
                        ends[tree.day] = (holder.leaf(self.tenant), seq)
                lines.append(written(row))
                entries += len(row["entries"])
            if not lines:
                continue
            transactions += len(lines)
            for tree in trees:
                if tree.day in ends:
                    tree.add(*ends[tree.day])
            header = {"holder": account.id, "transactions": len(lines), "end": holder.hash}
            body += [written(header), *lines, *(written(row) for _, row in holder.summary())]
        top, previous = (
            [written({"format": "loyalty-ledger-export-1", "tenant": self.tenant})],
            GENESIS,
        )
        for tree in trees:
            row = tree.row(self.tenant, previous)
            previous = row["hash"]
            del row["day"]
            top.append(written(row))
        counts = {"roots": len(trees), "holders": sum(bool(a.transactions) for a in self.holders)}
        return sealed(
            [f"{line}\n".encode() for line in top + body],
            {**counts, "transactions": transactions, "entries": entries},
        )


def sealed(lines: Lines, counts: Row) -> bytes:
    """Lines with the last one, which tells of all before it."""
    text = b"".join(lines)
    end = written({"end": counts, "sha256": hashlib.sha256(text).hexdigest()})
    return text + end.encode() + b"\n"


def resealed(text: bytes) -> bytes:
    """The same with a digest that fits, and counts that do."""
    lines = text.splitlines(keepends=True)[:-1]
    counts = {
        "roots": sum(line.startswith(b'{"root"') for line in lines),
        "holders": sum(line.startswith(b'{"holder"') for line in lines),
        "transactions": sum(line.startswith(b'{"transaction"') for line in lines),
        "entries": sum(
            len(json.loads(line)["entries"]) for line in lines if line.startswith(b'{"transaction"')
        ),
    }
    return sealed(lines, counts)


def crude(text: bytes, random: Random) -> tuple[str, bytes]:
    """Change bytes or lines."""
    lines = text.splitlines(keepends=True)
    place, other = random.randrange(len(lines)), random.randrange(len(lines))
    line = lines[place]
    kind = random.choice(
        ["bit", "byte", "drop", "double", "swap", "cut", "more", "space", "number", "key", "order"]
    )
    match kind:
        case "bit":
            at = random.randrange(len(text))
            return kind, text[:at] + bytes([text[at] ^ 1 << random.randrange(8)]) + text[at + 1 :]
        case "byte":
            at = random.randrange(len(text))
            return kind, text[:at] + bytes([random.randrange(256)]) + text[at + 1 :]
        case "drop":
            del lines[place]
        case "double":
            lines.insert(other, line)
        case "swap":
            lines[place], lines[other] = lines[other], line
        case "cut":
            return kind, text[: random.randrange(len(text))]
        case "more":
            return kind, text + random.choice([b"\n", b" ", b"{}\n", line])
        case "space":
            at = random.randrange(len(line))
            lines[place] = line[:at] + random.choice([b" ", b"\t", b"\r", b"\n"]) + line[at:]
        case "number":
            digits = [at for at, byte in enumerate(line) if 48 <= byte < 58]
            at = random.choice(digits)
            more = random.choice([b"0", b".0", b"e0", b"-", b"1_"])
            lines[place] = line[:at] + more + line[at:]
        case "key":
            row = json.loads(line)
            key = random.choice(list(row))
            lines[place] = b"{" + written({key: row[key]})[1:-1].encode() + b"," + line[1:]
        case "order":
            row = json.loads(line)
            turned = dict(random.sample(list(row.items()), len(row)))
            lines[place] = written(turned).encode() + b"\n"
    return kind, b"".join(lines)


def careful(text: bytes, random: Random) -> tuple[str, bytes]:
    """Change the history, then compute every chain, sum and root anew from there on."""
    book = Book.read(text)
    account = random.choice(book.holders)
    rows = account.transactions
    row = random.choice(rows)
    entry = random.choice(row["entries"])
    kind = random.choice(list(FORGERIES))
    FORGERIES[kind](book, account, row, entry, random)
    return kind, book.write()


def _amount(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    more = random.choice([-1, 1, 10, entry[3]])
    for each in row["entries"]:
        if each is not entry and each[2] == entry[2]:
            entry[3] += more
            each[3] -= more
            return


def _all_amounts(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    for each in row["entries"]:
        each[3] *= 2


def _drop(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    account.transactions.remove(row)


def _drop_tail(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    del account.transactions[account.transactions.index(row) :]


def _double(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    twin = copy.deepcopy(row)
    twin["transaction"] += 1
    for each in twin["entries"]:
        each[0] += 1
        if len(each) == 7:
            each[4] += 1
    account.transactions.insert(account.transactions.index(row) + 1, twin)


def _swap(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    at = account.transactions.index(row)
    after = (at + 1) % len(account.transactions)
    rows = account.transactions
    rows[at], rows[after] = rows[after], rows[at]


def _field(name: str, change: Callable[[Any, Random], Any]) -> Callable[..., None]:
    def forge(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
        row[name] = change(row[name], random)

    return forge


def _terms(place: int) -> Callable[..., None]:
    def forge(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
        opening = [each for tx in account.transactions for each in tx["entries"] if len(each) == 7]
        if opening:
            chosen = random.choice(opening)
            chosen[place] = (chosen[place] or 0) + random.choice([1, 86_400_000_000])

    return forge


def _entry_id(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    entry[0] += 1_000


def _side(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    for each in row["entries"]:
        if each[1] in ("ISSUED", "EXPIRED", "REDEEMED"):
            each[1] = "ADJUSTED"


def _unit(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    for tx in account.transactions:
        for each in tx["entries"]:
            each[2] = {"points": "status", "status": "points"}.get(each[2], each[2])


def _drop_holder(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    book.holders.remove(account)


def _new_holder(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    book.holders.append(Account(account.id + 1, copy.deepcopy(account.transactions)))


def _rename(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    account.id += 1


def _exchange(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    other = book.holders[book.holders.index(account) - 1]
    account.id, other.id = other.id, account.id


def _tenant(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    book.tenant += 1


def _day(book: Book, account: Account, row: Row, entry: list[Any], random: Random) -> None:
    del book.days[random.randrange(len(book.days))]


FORGERIES: dict[str, Callable[[Book, Account, Row, list[Any], Random], None]] = {
    "amount": _amount,
    "amounts": _all_amounts,
    "transaction dropped": _drop,
    "tail dropped": _drop_tail,
    "transaction doubled": _double,
    "transactions swapped": _swap,
    "transaction id": _field("transaction", lambda id, random: id + 1),
    "kind": _field("kind", lambda kind, random: "ADJUST" if kind == "EARN" else "EARN"),
    "order": _field("order", lambda id, random: (id or 0) + 1),
    "refund": _field("refund", lambda id, random: (id or 0) + 1),
    "ruleset": _field("ruleset", lambda version, random: version + 1),
    "effective": _field("effective", lambda at, random: at + random.choice([-1, 1])),
    "booked": _field("booked", lambda at, random: at - 1),
    "available": _terms(5),
    "expires": _terms(6),
    "entry id": _entry_id,
    "account": _side,
    "unit": _unit,
    "holder dropped": _drop_holder,
    "holder invented": _new_holder,
    "holder renamed": _rename,
    "holders exchanged": _exchange,
    "tenant": _tenant,
    "root dropped": _day,
}


def forged(text: bytes, random: Random) -> tuple[str, bytes]:
    """An export with one random change, never the same bytes; and what was changed."""
    while True:
        how = random.choice([crude, careful, careful])
        kind, changed = how(text, random)
        if how is crude and random.random() < 0.5:
            try:
                kind, changed = f"{kind}, resealed", resealed(changed)
            except (ValueError, KeyError, TypeError, IndexError):
                continue
        if changed != text:
            return kind, changed
