#!/usr/bin/env python3
"""Check an exported ledger, or a proof of one entry, without trusting who exported it.

    python3 ledger_verifier.py EXPORT.jsonl --root 2026-11-27:HEX [--root …]
    python3 ledger_verifier.py PROOF.json --root 2026-11-27:HEX

Roots are those that the shop published earlier, each with its day. Every sum, balance, lot, hold,
hash chain and root is computed anew from the entries; the first thing that does not hold is named.
Exit status: 0 all holds, 1 something does not, 2 it could not be checked.

Without a root only the file itself is checked: a history that was rewritten from end to end, with
everything computed anew, looks like any other. A root covers what was booked up to the end of its
day (UTC); what was booked later, the next root will cover.

This file stands alone: Python 3.9 or later and its standard library, nothing of the server's.
The format is described in docs/reference/ledger-export.md. Trees are those of RFC 6962, 2.1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any

EXPORT, PROOF = "loyalty-ledger-export-1", "loyalty-ledger-proof-1"
DAY_MICROS = 86_400_000_000
GENESIS = "0" * 64
ACCOUNTS = ("MEMBER", "ISSUED", "HELD", "REDEEMED", "EXPIRED", "ADJUSTED", "PARTNER", "CAUSE")
KINDS = (
    "EARN", "HOLD", "REDEEM", "RELEASE", "REVERSE", "RETURN", "EXPIRE", "REPAY", "ADJUST", "MERGE",
)  # fmt: skip
KEYS = {
    "format": ["format", "tenant"],
    "root": ["root", "hash", "holders", "transactions"],
    "holder": ["holder", "transactions", "end"],
    "transaction": [
        "transaction", "seq", "kind", "order", "reservation", "refund", "ruleset", "effective",
        "booked", "entries", "hash",
    ],
}  # fmt: skip
HASHED = KEYS["transaction"][1:9]
PROOF_KEYS = [
    "format", "tenant", "holder", "transaction", "entry", "links", "index", "path", "day",
    "holders", "transactions", "previous", "root",
]  # fmt: skip
HEX = re.compile(r"[0-9a-f]{64}")
UNIT = re.compile(r"[!-+\--~]{1,64}")
"""No comma: the chain's text parts its fields by them."""
LINK = re.compile(
    r"loyalty-ledger-1\n([0-9a-f]{64})\n([0-9]+),([0-9]+),([0-9]+),([0-9]+),[A-Z]+"
    r",[0-9]*,[0-9]*,[0-9]*,[0-9]+,[0-9]+,([0-9]+)((?:\n[0-9]+,[A-Z]+,[!-+\--~]+,[0-9,-]+)+)"
)


class Bad(Exception):
    """Something does not hold; the text is a sentence that names it."""


def wanted(holds: bool, sentence: str) -> None:
    if not holds:
        raise Bad(sentence)


def end_of(day: str) -> int:
    """Microseconds since 1970 of the first instant after a day. Raises ValueError."""
    found = date.fromisoformat(day)
    wanted(found.isoformat() == day, f"found the day {day}, wanted YYYY-MM-DD")
    return (found.toordinal() - date(1970, 1, 1).toordinal() + 1) * DAY_MICROS


def written(value: object) -> str:
    """The one way in which a line is written."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def read(text: str) -> dict[str, Any]:
    """A line's object, which must be written in the one way that there is."""
    try:
        value: dict[str, Any] = json.loads(text)
        same = written(value) == text
    except (ValueError, RecursionError):
        raise Bad("it is no JSON") from None
    wanted(same and isinstance(value, dict) and bool(value), "it is not written as exports are")
    return value


def is_whole(value: object, least: int = 1) -> bool:
    return type(value) is int and value >= least


def is_hash(value: object) -> bool:
    return isinstance(value, str) and HEX.fullmatch(value) is not None


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def comma(values: Iterable[object]) -> str:
    return ",".join("" if value is None else str(value) for value in values)


def leaf_hash(tenant: int, holder: int, seq: int, end: str) -> bytes:
    text = f"loyalty-leaf-1\n{tenant},{holder},{seq},{end}"
    return hashlib.sha256(b"\0" + text.encode()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root_hash(previous: str, tenant: int, row: dict[str, Any], top: bytes) -> str:
    """What is published: the tree's top with what it is the tree of, and the root before."""
    head = comma((tenant, row["day"], row["holders"], row["transactions"]))
    return sha256(f"loyalty-root-1\n{previous}\n{head}\n{top.hex()}")


class Tree:
    """The ends of all holders' chains at the end of one day, hashed as they come."""

    def __init__(self, day: str) -> None:
        self.day, self.end = day, end_of(day)
        self.leaves = self.transactions = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes, seq: int) -> None:
        size, self.leaves, self.transactions = self.leaves, self.leaves + 1, self.transactions + seq
        while size & 1:
            leaf, size = node_hash(self.peaks.pop(), leaf), size >> 1
        self.peaks.append(leaf)

    def row(self, tenant: int, previous: str) -> dict[str, Any]:
        """The line of an export that says so."""
        top = self.peaks[-1] if self.peaks else hashlib.sha256().digest()
        for peak in self.peaks[-2::-1]:
            top = node_hash(peak, top)
        row = {"day": self.day, "holders": self.leaves, "transactions": self.transactions}
        return {"root": self.day, "hash": root_hash(previous, tenant, row, top), **row}


class Holder:
    """What the entries of one holder add up to."""

    def __init__(self, id: int) -> None:
        self.id, self.seq, self.hash, self.booked = id, 0, GENESIS, 0
        self.lots: dict[int, dict[str, Any]] = {}
        self.holds: dict[int, dict[int, int]] = {}
        self.balances: dict[str, int] = {}
        self.deficits: dict[str, int] = {}

    def leaf(self, tenant: int) -> bytes:
        return leaf_hash(tenant, self.id, self.seq, self.hash)

    def take(self, tenant: int, row: dict[str, Any]) -> None:
        """Book one transaction on what there was before it."""
        name = f"transaction {row['transaction']} of holder {self.id}"
        wanted(row["seq"] == self.seq + 1, f"{name}: its sequence is not {self.seq + 1}")
        wanted(row["kind"] in KINDS, f"{name}: there is no kind {row['kind']!r}")
        wanted(row["booked"] >= self.booked, f"{name}: it is booked before the one before it")
        several = isinstance(row["entries"], list) and len(row["entries"]) > 1
        wanted(several, f"{name}: it has not two entries or more")
        sums: dict[str, int] = {}
        moved: dict[int, int] = {}
        for entry in row["entries"]:
            where = f"entry {self.entry(name, row, entry, moved)} in {name}"
            unit, amount = entry[2], entry[3]
            sums[unit] = sums.get(unit, 0) + amount
            if entry[1] == "MEMBER":
                self.balances[unit] = self.balances.get(unit, 0) + amount
                if len(entry) == 4:
                    self.deficits[unit] = self.deficits.get(unit, 0) - amount
                    wanted(self.deficits[unit] >= 0, f"{where}: it repays more than is owed")
            else:
                self.balances.setdefault(unit, 0)
        for unit, total in sums.items():
            wanted(total == 0, f"{name}: its entries of {unit} sum to {total}, wanted 0")
        for entry in row["entries"]:
            lot = self.lots.get(entry[4]) if len(entry) > 4 else None
            if lot is not None and not 0 <= lot["remaining"] <= lot["amount"]:
                left = f"{lot['remaining']} of {lot['amount']} remain"
                raise Bad(f"entry {entry[0]} in {name}: of lot {entry[4]} {left} after it")
        self.hold(name, row, moved)
        head = [tenant, row["transaction"], self.id, *(row[key] for key in HASHED)]
        text = ["loyalty-ledger-1", self.hash, comma(head), *map(chain_line, row["entries"])]
        self.hash = sha256("\n".join(text))
        wanted(self.hash == row["hash"], f"{name}: its hash does not follow from what it says")
        self.seq, self.booked = row["seq"], row["booked"]

    def entry(self, name: str, row: dict[str, Any], entry: Any, moved: dict[int, int]) -> int:
        """Check one entry, move its lot; returns its id."""
        usable = isinstance(entry, list) and 4 <= len(entry) <= 7 and len(entry) != 6
        usable = usable and is_whole(entry[0]) and entry[1] in ACCOUNTS
        usable = usable and isinstance(entry[2], str) and UNIT.fullmatch(entry[2]) is not None
        wanted(usable, f"{name}: {written(entry)} is no entry")
        where, amount = f"entry {entry[0]} in {name}", entry[3]
        wanted(type(amount) is int and amount != 0, f"{where}: {written(amount)} is no amount")
        if len(entry) > 4:
            lot_id, unit = entry[4], entry[2]
            wanted(entry[1] == "MEMBER" and is_whole(lot_id), f"{where}: it may name no such lot")
            if len(entry) == 7:
                available, expires = entry[5:]
                times = is_whole(available, 0) and (expires is None or is_whole(expires, available))
                wanted(times and amount > 0, f"{where}: it opens lot {lot_id} with no such terms")
                wanted(lot_id not in self.lots, f"{where}: lot {lot_id} is open already")
                lot = {"lot": lot_id, "unit": unit, "amount": amount, "remaining": 0}
                self.lots[lot_id] = {**lot, "available": available, "expires": expires}
            lot = self.lots.get(lot_id, {})
            wanted(lot.get("unit") == unit, f"{where}: this holder has no lot {lot_id} of {unit}")
            lot["remaining"] += amount
            moved[lot_id] = moved.get(lot_id, 0) + amount
            expires, at = lot["expires"], row["effective"]
            if row["kind"] == "HOLD":
                live = lot["available"] <= at and (expires is None or at < expires)
                wanted(live, f"{where}: lot {lot_id} is not live when it is drawn")
            elif row["kind"] == "EXPIRE":
                over = expires is not None and expires <= at
                wanted(over, f"{where}: lot {lot_id} is not over when it expires")
        return int(entry[0])

    def hold(self, name: str, row: dict[str, Any], moved: dict[int, int]) -> None:
        """Follow held value: of each lot what a reservation drew, less what came back."""
        kind, id = row["kind"], row["reservation"]
        held: dict[str, int] = {}
        for entry in row["entries"]:
            if entry[1] == "HELD":
                held[entry[2]] = held.get(entry[2], 0) + entry[3]
        right = bool(held) == (kind in ("HOLD", "RELEASE", "REDEEM"))
        wanted(right, f"{name}: no {kind} is like it")
        if not held:
            return
        wanted(id is not None, f"{name}: it names no reservation")
        mine = self.holds.setdefault(id, {})
        before = self.held(mine)
        if kind == "REDEEM":
            mine.clear()
        for lot_id, amount in moved.items():
            mine[lot_id] = mine.get(lot_id, 0) - amount
            wanted(mine[lot_id] >= 0, f"{name}: reservation {id} held less of lot {lot_id}")
        after = self.held(mine)
        for unit in before.keys() | after.keys() | held.keys():
            grown = after.get(unit, 0) - before.get(unit, 0)
            right = grown == held.get(unit, 0)
            wanted(right, f"{name}: of {unit} it moves {held.get(unit, 0)} held, wanted {grown}")

    def held(self, lots: dict[int, int]) -> dict[str, int]:
        sums: dict[str, int] = {}
        for lot_id, amount in lots.items():
            unit = self.lots[lot_id]["unit"]
            sums[unit] = sums.get(unit, 0) + amount
        return sums

    def summary(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the lines after the transactions have to say, each with a name."""
        for id, lot in sorted(self.lots.items()):
            yield f"lot {id} of holder {self.id}", lot
        for id, lots in sorted(self.holds.items()):
            for lot_id, amount in sorted(lots.items()):
                row = {"hold": id, "lot": lot_id, "unit": self.lots[lot_id]["unit"]}
                if amount:
                    yield f"hold {id} of holder {self.id}", {**row, "amount": amount}
        for unit, balance in sorted(self.balances.items()):
            row = {"account": unit, "balance": balance, "deficit": self.deficits.get(unit, 0)}
            yield f"account {unit} of holder {self.id}", row


def chain_line(entry: Sequence[Any]) -> str:
    """An entry as the chain writes it: there is a place for the lot, if nothing stands in it."""
    return comma(entry if len(entry) > 4 else [*entry, None])


class Export:
    """One reading of an export, line by line; only one holder is kept in memory.

    Args:
        roots: those published earlier, by day.
    """

    def __init__(self, lines: Iterable[bytes], roots: dict[str, str]) -> None:
        self.lines, self.number = iter(lines), 0
        self.digest = self.before = hashlib.sha256()
        self.roots, self.tenant = roots, 0
        self.claimed: dict[str, dict[str, Any]] = {}
        self.trees: list[Tree] = []
        self.holders = self.transactions = self.entries = 0

    def next(self) -> str:
        """The next line without its end."""
        raw = next(self.lines, b"")
        self.number += 1
        wanted(raw != b"", "the file ends before its last line")
        wanted(raw.endswith(b"\n"), "the line is cut off")
        self.before = self.digest.copy()
        self.digest.update(raw)
        try:
            return raw[:-1].decode()
        except UnicodeDecodeError:
            raise Bad("it is no UTF-8 text") from None

    def row(self, text: str, *kinds: str) -> dict[str, Any]:
        """A line of one of these kinds, with exactly its fields."""
        row = read(text)
        kind = next(iter(row))
        wanted(kind in kinds, f"found {kind!r}, wanted {' or '.join(kinds)}")
        if kind in KEYS:
            wanted(list(row) == KEYS[kind], f"found other fields than a {kind} has")
        for key, value in row.items():
            if key in ("hash", "end") and kind != "end":
                wanted(is_hash(value), f"{key}: {written(value)} is no hash")
            elif key in ("order", "reservation", "refund"):
                wanted(value is None or is_whole(value), f"{key}: {written(value)} is no id")
            elif key not in ("kind", "entries", "format", "root", "end", "sha256"):
                least = 0 if key in ("ruleset", "effective", "booked") else 1
                wanted(is_whole(value, least), f"{key}: {written(value)} is no such number")
        return row

    def check(self) -> None:
        header = self.row(self.next(), "format")
        wanted(header["format"] == EXPORT, f"found format {header['format']!r}, wanted {EXPORT}")
        self.tenant = header["tenant"]
        last_day, last_holder, text = "", 0, self.next()
        while (row := self.row(text, "root", "holder", "end")) and "root" in row:
            day = row["root"]
            wanted(isinstance(day, str) and is_day(day), f"root: {written(day)} is no day")
            wanted(day > last_day, f"root of {day}: it does not come after {last_day}")
            self.claimed[day], last_day, text = row, day, self.next()
        for day in sorted(self.roots.keys() - self.claimed.keys()):
            raise Bad(f"a root of {day} was published, and this file has none")
        self.trees = [Tree(day) for day in self.claimed]
        while (row := self.row(text, "holder", "end")) and "holder" in row:
            wanted(row["holder"] > last_holder, f"holder {row['holder']}: it is out of order")
            last_holder = row["holder"]
            text = self.holder(row)
        end = {"roots": len(self.claimed), "holders": self.holders}
        end = {**end, "transactions": self.transactions, "entries": self.entries}
        right = written({"end": end, "sha256": self.before.hexdigest()})
        wanted(text == right, f"the last line does not fit the file, wanted {right}")
        wanted(next(self.lines, b"") == b"", "something follows the last line")
        self.number = 0
        self.compare()

    def holder(self, row: dict[str, Any]) -> str:
        """Check all lines of one holder; returns the line after them."""
        holder, place, leaf = Holder(row["holder"]), 0, b""
        for _ in range(row["transactions"]):
            found = self.row(self.next(), "transaction")
            while place < len(self.trees) and self.trees[place].end <= found["booked"]:
                if holder.seq:
                    leaf = leaf or holder.leaf(self.tenant)
                    self.trees[place].add(leaf, holder.seq)
                place += 1
            holder.take(self.tenant, found)
            leaf = b""
            self.transactions += 1
            self.entries += len(found["entries"])
        leaf = holder.leaf(self.tenant)
        for tree in self.trees[place:]:
            tree.add(leaf, holder.seq)
        ends = holder.hash == row["end"]
        wanted(ends, f"holder {holder.id}: the chain does not end in {row['end']}")
        self.holders += 1
        text = self.next()
        for name, right in holder.summary():
            wanted(text == written(right), f"{name}: the entries say {written(right)}")
            text = self.next()
        return text

    def compare(self) -> None:
        """Hold the roots computed against those handed in, and those that the file tells of."""
        since, previous = "the beginning", GENESIS
        for tree in self.trees:
            row, day = tree.row(self.tenant, previous), tree.day
            previous, root = row["hash"], self.roots.get(day)
            told = f"{root} was published as root of {day}, this history gives {previous}"
            changed = f"what was booked from {since} up to the end of that day is not what it was"
            wanted(root in (None, previous), f"{told}: {changed}")
            since = since if root is None else f"the day after {day}"
            del row["day"]
            right = written(row) == written(self.claimed[day])
            wanted(right, f"root of {day}: the chains give {written(row)}")

    def uncovered(self) -> int:
        """Transactions that no root handed in covers."""
        covered = [tree.transactions for tree in self.trees if tree.day in self.roots]
        return self.transactions - max(covered, default=0)


def is_day(text: str) -> bool:
    try:
        return bool(end_of(text))
    except (ValueError, Bad):
        return False


def check_proof(row: dict[str, Any], roots: dict[str, str]) -> None:
    """A proof of one entry: its transaction, the chain up to a day's end, the path to the root."""
    wanted(list(row) == PROOF_KEYS, "found other fields than a proof has")
    for key in ("tenant", "holder", "transaction", "entry", "holders", "transactions"):
        wanted(is_whole(row[key]), f"{key}: {written(row[key])} is no such number")
    day, links, path = row["day"], row["links"], row["path"]
    wanted(isinstance(day, str) and is_day(day), f"day: {written(day)} is no day")
    wanted(isinstance(links, list) and bool(links), "links: there are none")
    wanted(isinstance(path, list) and all(map(is_hash, path)), "path: it is no list of hashes")
    end, seq = "", 0
    for number, text in enumerate(links, start=1):
        link = LINK.fullmatch(text) if isinstance(text, str) else None
        wanted(link is not None, f"link {number}: it is no chain text")
        assert link is not None
        before, tenant, id, holder, place, booked, entries = link.groups()
        mine = (tenant, holder) == (str(row["tenant"]), str(row["holder"]))
        wanted(mine, f"link {number}: it is of another holder")
        if number == 1:
            named = id == str(row["transaction"]) and f"\n{row['entry']}," in entries
            wanted(named, f"link 1: it is not the transaction of entry {row['entry']}")
        else:
            follows = before == end and int(place) == seq + 1
            wanted(follows, f"link {number}: it does not follow from the one before it")
        wanted(int(booked) < end_of(day), f"link {number}: it was booked after {day}")
        end, seq = sha256(text), int(place)
    leaf = leaf_hash(row["tenant"], row["holder"], seq, end)
    top = top_by_path(leaf, row["index"], row["holders"], [bytes.fromhex(each) for each in path])
    wanted(top is not None, "path: it is not as long as that place is deep")
    assert top is not None
    wanted(is_hash(row["previous"]), "previous: it is no hash")
    found = root_hash(row["previous"], row["tenant"], row, top)
    wanted(found == row["root"], f"root: the path leads to {found}")
    known = roots.get(day, found)
    wanted(known == found, f"{known} was published as root of {day}, not {found}")


def top_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The top of the tree that a path leads to: RFC 9162, 2.1.3.2; None for a path of no place."""
    node, last = index, size - 1
    if not is_whole(index, 0) or index > last:
        return None
    for sibling in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            leaf = node_hash(sibling, leaf)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            leaf = node_hash(leaf, sibling)
        node, last = node >> 1, last >> 1
    return leaf if last == 0 else None


def root_argument(text: str) -> tuple[str, str]:
    day, _, root = text.partition(":")
    if not is_day(day) or not is_hash(root.lower()):
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted YYYY-MM-DD:64 hexadecimal digits")
    return day, root.lower()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("file", help="an export or a proof; - for standard input")
    parser.add_argument(
        "--root", type=root_argument, action="append", default=[], metavar="DAY:HEX",
        help="a root that was published earlier; may be given again",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    roots = dict(options.root)
    if len(roots) < len(set(options.root)):
        parser.error("found two different roots of one day")
    try:
        with sys.stdin.buffer if options.file == "-" else open(options.file, "rb") as file:
            return told(file, roots)
    except OSError as error:
        print(f"could not be checked: {error}", file=sys.stderr)
        return 2


def told(file: Iterable[bytes], roots: dict[str, str]) -> int:
    """Check a file and say what was found; returns the exit status."""
    lines = iter(file)
    first = next(lines, b"")
    export = Export(chain([first], lines), roots)
    try:
        if first.startswith(b'{"format":"%s"' % PROOF.encode()):
            proof = read(export.next())
            wanted(next(lines, b"") == b"", "something follows the proof")
            check_proof(proof, roots)
            print(f"it holds: entry {proof['entry']} stands under the root of {proof['day']}")
            uncovered = int(proof["day"] not in roots)
        else:
            export.check()
            counts = f"{export.holders} holders, {export.transactions} transactions"
            print(f"all of it holds: {counts}, {export.entries} entries")
            uncovered = export.uncovered()
    except Bad as bad:
        print(f"it does NOT hold: {f'line {export.number}: ' if export.number else ''}{bad}")
        return 1
    if not roots:
        print(
            "but no root was handed in that had been published earlier: a history rewritten from "
            "end to end would look the same (--root DAY:HEX)"
        )
    elif uncovered:
        print(f"of these, {uncovered} transactions are covered by no root that was handed in")
    return 0


if __name__ == "__main__":
    sys.exit(main())
