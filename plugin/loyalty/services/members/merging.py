"""Merge a guest or a duplicate into a member, and part them again.

The source's lots move as ledger transactions in both chains; its orders, reservations and coupons
follow, so that refunds, history and limits are the member's from then on. Its external id answers
as the member's. What the merge moved is kept with it, so that undoing moves back exactly what is
still there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from loyalty.domain.books.lot_names import named_lots, renamed_lots
from loyalty.domain.books.merge import (
    Merged,
    judged_again,
    merge,
    merged_from_dict,
    merged_to_dict,
    unmerge,
)
from loyalty.domain.books.settle import settle
from loyalty.errors import Conflict, MemberNotActive, NotFound
from loyalty.services.audit import Action, Subject, deed, noted
from loyalty.services.books.desk import Desk, Idempotent, Needs, Row
from loyalty.storage import ledger as ledger_sql
from loyalty.storage import merges as sql
from loyalty.storage import offers as offers_sql
from loyalty.storage import recommendation_events as events_sql
from loyalty.storage.statements import Unit

Outcome = dict[str, Any]

MERGEABLE = frozenset({"PROSPECT", "ACTIVE"})
"""States in which a member may become part of another. One set aside would come back through it."""
OWNED = ("coupon", "adjustment", "member_offer")
"""Tables whose rows are one member's and nobody else's business."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Make ``source`` part of ``target``. Once more changes nothing."""

    tenant_id: int
    idempotent: Idempotent | None
    source: str
    target: str
    by: str
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(members=(self.target,), own=(self.source, self.target))

    def prepare(self, desk: Desk) -> Unit[None]:
        """Read what the source has."""
        yield from _load(desk, desk.own.get(self.source))

    def decide(self, desk: Desk) -> Outcome:
        source_id, target_id = _own(desk, self.source, "source"), _member(desk, self.target)
        source, target = desk.members[source_id], desk.members[target_id]
        if source["merged_into"] == target_id:
            return {"member": target_id, "moved": False}
        if source_id == target_id:
            raise Conflict("found one member twice, wanted two", field=("input", "source"))
        if source["merged_into"] is not None:
            raise Conflict("the source is merged into another member", field=("input", "source"))
        if source["state"] not in MERGEABLE:
            raise Conflict(
                f"the source is {source['state'].lower()}, wanted prospect or active",
                field=("input", "source"),
            )
        if target["state"] != "ACTIVE":
            raise MemberNotActive(target["state"])
        books = desk.books[source_id], desk.books[target_id]
        settle(books[0], desk.ruleset, desk.now)
        timed_out(desk, source_id)
        merged = merge(*books)
        moved = _follow(desk, merged.lots, target_id)
        moved |= {"merge": merged_to_dict(merged), "state": source["state"]}
        for id, row in desk.members.items():
            if id == source_id or row["merged_into"] == source_id:
                set_member(desk, id, merged_into=target_id)
        set_member(desk, source_id, state="CLOSED")
        # What the source agreed to, the member that it is part of may not have.
        desk.after.append(events_sql.UNNAME_MERGED(self.tenant_id, target_id))
        desk.after.append(offers_sql.UNREASON_MERGED(self.tenant_id, target_id))
        desk.insert(
            "member_merge",
            source_id=source_id,
            target_id=target_id,
            state="MERGED",
            moved=orjson.dumps(moved, option=orjson.OPT_NON_STR_KEYS).decode(),
            merged_at=desk.now,
        )
        noted(desk, deed(self.by, Action.MEMBER_MERGE, Subject.MEMBER, source_id, into=target_id))
        return _touched(desk, source_id, target_id)


@dataclass(frozen=True, slots=True)
class Unmerge:
    """Part a source from the member it was merged into; once more changes nothing.

    What was booked on the member since stays there; orders that by now name lots of the member
    itself stay as well, with the lots they name.
    """

    tenant_id: int
    idempotent: Idempotent | None
    source: str
    by: str
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(members=(self.source,), own=(self.source,))

    def prepare(self, desk: Desk) -> Unit[None]:
        """Read what the member has that came from the source, and what else it has."""
        source_id = desk.own.get(self.source)
        yield from _load(desk, desk.names.get(self.source))
        if source_id is not None:
            desk.loaded.more["merges"] = [
                {"id": id, "source_id": source, "target_id": target, "moved": orjson.loads(moved)}
                for id, source, target, moved in (yield sql.MERGES_OF(self.tenant_id, source_id))
            ]
            yield from _load_lots(desk, source_id)

    def decide(self, desk: Desk) -> Outcome:
        source_id, target_id = _own(desk, self.source, "source"), desk.names[self.source]
        if source_id == target_id:
            return {"member": source_id, "moved": False}
        merges = desk.loaded.more["merges"]
        (record,) = (row for row in merges if row["source_id"] == source_id)
        if record["target_id"] != target_id:
            raise Conflict(
                "the member it was merged into is merged itself: part that one first",
                field=("input", "source"),
            )
        moved = record["moved"]
        merged = merged_from_dict(moved["merge"])
        going, stay = _going_back(desk, moved, merged, target_id)
        books = desk.books[source_id], desk.books[target_id]
        # Nothing was due for it while it was empty.
        books[0].accounts.settled_at = max(books[0].at, books[1].at)
        books[0].ruleset_version = desk.ruleset.version
        unmerge(*books, merged, stay)
        judged_again(books[0], desk.ruleset, merged.source, merged.at)
        judged_again(books[1], desk.ruleset, merged.target, merged.at)
        back = {twin: own for own, twin in merged.lots.items() if twin not in stay}
        _return(desk, moved, going, back, source_id, target_id)
        for row in (row for row in merges if row["target_id"] == source_id):
            set_member(desk, row["source_id"], merged_into=source_id)
        set_member(desk, source_id, merged_into=None, state=moved["state"])
        desk.update("member_merge", record["id"], state="UNMERGED", unmerged_at=desk.now)
        desk.see(desk.names, self.source, source_id)
        noted(desk, deed(self.by, Action.MEMBER_UNMERGE, Subject.MEMBER, source_id, of=target_id))
        return _touched(desk, source_id, target_id)


def timed_out(desk: Desk, member_id: int) -> None:
    """End a member's open holds as if their time were over.

    A checkout that is being paid may still commit: late, it holds again if it can. What others
    hold for the same reservation ends by the same clock.
    """
    book = desk.books[member_id]
    for reservation_id in sorted(book.accounts.holds):
        book.release(reservation_id, book.at)
        desk.update("reservation", reservation_id, state="EXPIRED", expires_at=desk.now)
        for use in desk.loaded.more.get("uses", ()):
            if use["reservation_id"] == reservation_id and use["state"] == "HELD":
                desk.update("quota_use", use["id"], expires_at=desk.now)


def _follow(desk: Desk, twins: Mapping[int, int], target_id: int) -> Row:
    """Make everything that names the source name the target; returns what did."""
    more = desk.loaded.more
    for order in more["orders"]:
        desk.update("shop_order", order["id"], member_id=target_id, **_renamed(order, twins))
    for row in more["reservations"]:
        desk.update("reservation", row["id"], member_id=target_id)
    for draw in more["draws"]:
        if draw["lot_id"] in twins:
            twin = twins[draw["lot_id"]]
            desk.update("draw", draw["id"], lot_id=twin, holder_id=target_id)
    for use in more["uses"]:
        desk.update("quota_use", use["id"], member_id=target_id)
    for table in OWNED:
        for row in more[table]:
            desk.update(table, row["id"], member_id=target_id)
    kept = ("orders", "reservations", *OWNED)
    return {name: [row["id"] for row in more[name]] for name in kept}


def _going_back(
    desk: Desk, moved: Row, merged: Merged, target_id: int
) -> tuple[set[int], set[int]]:
    """Which orders go back to the source, and which twins stay with the target.

    An order that names a lot of the target's own stays, with all the lots it names; so does every
    other order that names one of those.
    """
    more, came = desk.loaded.more, set(merged.lots.values())
    own = desk.books[target_id].accounts.lots.keys()
    drawn: dict[int, set[int]] = {}
    for draw in more["draws"]:
        drawn.setdefault(draw["reservation_id"], set()).add(draw["lot_id"])
    names: dict[int, set[int]] = {}
    for order in more["orders"]:
        if order["id"] in moved["orders"]:
            names[order["id"]] = {
                *named_lots(order["context"], own),
                *named_lots(order["refunds"], own),
                *(drawn.get(order["reservation_id"], set()) & own),
            }
    stay: set[int] = set()
    while staying := [id for id, lots in names.items() if lots - came or lots & stay]:
        for id in staying:
            stay |= names.pop(id) & came
    return set(names), stay


def _return(
    desk: Desk,
    moved: Row,
    going: set[int],
    back: Mapping[int, int],
    source_id: int,
    target_id: int,
) -> None:
    """Make what goes back name the source again."""
    more = desk.loaded.more
    reservations: set[int] = set()
    for order in more["orders"]:
        if order["id"] in going:
            desk.update("shop_order", order["id"], member_id=source_id, **_renamed(order, back))
            reservations.add(order["reservation_id"])
    stays = {
        draw["reservation_id"]
        for draw in more["draws"]
        if draw["holder_id"] == target_id and draw["lot_id"] not in back
    }
    for row in more["reservations"]:
        # One that is held now, or drew from the member's own lots, is the member's.
        is_free = row["order_id"] is None and row["state"] != "HELD" and row["id"] not in stays
        if is_free and row["id"] in moved["reservations"]:
            reservations.add(row["id"])
    for id in reservations - {None}:
        desk.update("reservation", id, member_id=source_id)
    for draw in more["draws"]:
        if draw["reservation_id"] in reservations and draw["lot_id"] in back:
            own = back[draw["lot_id"]]
            desk.update("draw", draw["id"], lot_id=own, holder_id=source_id)
    for use in more["uses"]:
        if use["reservation_id"] in reservations:
            desk.update("quota_use", use["id"], member_id=source_id)
    for table in OWNED:
        for row in more[table]:
            # What an earlier release merged knew no offers.
            if row["id"] in moved.get(table, ()):
                desk.update(table, row["id"], member_id=source_id)


def _renamed(order: Row, twins: Mapping[int, int]) -> Row:
    return {
        "context": renamed_lots(order["context"], twins),
        "refunds": renamed_lots(order["refunds"], twins),
    }


def _load(desk: Desk, member_id: int | None) -> Unit[None]:
    """Everything that names a member, and all its lots, those that ended long ago included."""
    more, tenant = desk.loaded.more, desk.tenant_id
    if member_id is None:
        return
    more["orders"] = _rows(sql.ORDER_COLUMNS, (yield sql.ORDERS_OF(tenant, member_id)))
    more["reservations"] = _rows(
        ("id", "state", "order_id", "quote"), (yield sql.RESERVATIONS_OF(tenant, [member_id]))
    )
    more["draws"] = _rows(
        ("id", "reservation_id", "lot_id", "holder_id"), (yield sql.DRAWS_OF(tenant, member_id))
    )
    more["uses"] = _rows(("id", "reservation_id", "state"), (yield sql.USES_OF(tenant, member_id)))
    more["coupon"] = _rows(("id",), (yield sql.COUPONS_OF(tenant, member_id)))
    more["adjustment"] = _rows(("id",), (yield sql.PROPOSALS_OF(tenant, member_id)))
    more["member_offer"] = _rows(("id",), (yield sql.OFFERS_OF(tenant, member_id)))
    yield from _load_lots(desk, member_id)


def _load_lots(desk: Desk, member_id: int) -> Unit[None]:
    lots = desk.books[member_id].accounts.lots
    for _, *columns in (yield sql.LOTS(desk.tenant_id, [member_id])):
        lots.setdefault(columns[0], ledger_sql.lot_of(columns))
    desk.books[member_id].accounts.outlook = None


def _rows(columns: tuple[str, ...], found: Iterable[Iterable[Any]]) -> list[Row]:
    return [dict(zip(columns, row, strict=True)) for row in found]


def set_member(desk: Desk, id: int, **columns: Any) -> None:
    """Change a member's row, and let the unit's later commands see it so."""
    desk.members[id] = desk.members[id] | columns
    desk.update("member", id, **columns)


def _touched(desk: Desk, source_id: int, target_id: int) -> Outcome:
    for id in (source_id, target_id):
        desk.touch(id, "merged")
    return {"member": target_id, "source": source_id, "moved": True}


def _own(desk: Desk, name: str, field: str) -> int:
    if name not in desk.own:
        raise NotFound("member", name, field=("input", field))
    return desk.own[name]


def _member(desk: Desk, name: str) -> int:
    if name not in desk.names:
        raise NotFound("member", name, field=("input", "target"))
    return desk.names[name]
