"""What a command works at: one member's book and the rows it may look at or write.

The door loads a desk for each member of a unit of work, under the member's lock. A command
moves value through ``book`` and notes its rows with ``insert`` and ``update``; nothing is
written before every command of the unit has its verdict.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

from loyalty.domain.books.book import Book
from loyalty.domain.order import TierAt
from loyalty.domain.quotas import Quota
from loyalty.domain.quotes.quote_terms import QuotaUse
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.ids import Ids
from loyalty.storage.statements import Statement, Unit

Row = dict[str, Any]


class Write(NamedTuple):
    """One row to insert (``id`` None), to change (``id`` of the row), or to delete (no values)."""

    table: str
    id: int | None
    values: Row


class Noted(NamedTuple):
    """How far a desk's notes went: a point to go back to should a command be refused."""

    writes: int
    tuples: int
    touched: dict[int, str]
    seen: int


@dataclass(slots=True)
class Loaded:
    """Rows by the natural keys that commands use: read under the lock, and since then as the
    unit's own commands left them (``Desk.see``).

    ``quotas`` are by kind and subject, ``quota_uses`` by reservation and quota, ``gift_cards``
    by holder, ``coupons`` by code, ``offers`` (members' own) by id.
    ``quota_uses_over``: ids of uses by quota that timed out and are not marked so.
    ``refunds_booked`` by order, in the sequence booked: of orders without a checkout so far.
    ``booked_alone``: corrections by member, unit and person within ``adjustments.WINDOW``.
    ``order_lines``: quantity, amount and discount by order id, of those that need them.
    """

    orders: dict[str, Row] = field(default_factory=dict)
    refunds: dict[str, Row] = field(default_factory=dict)
    refunds_waiting: dict[str, list[Row]] = field(default_factory=dict)
    refunds_booked: dict[str, list[Row]] = field(default_factory=dict)
    reservations: dict[int, Row] = field(default_factory=dict)
    draws: dict[int, list[Row]] = field(default_factory=dict)
    order_lines: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    open_carts: dict[str, int] = field(default_factory=dict)
    history: dict[int, tuple[TierAt, ...]] = field(default_factory=dict)
    quotas: dict[tuple[str, str], Quota] = field(default_factory=dict)
    quota_uses: dict[tuple[int, int], Row] = field(default_factory=dict)
    quota_uses_over: dict[int, list[int]] = field(default_factory=dict)
    gift_cards: dict[int, Row] = field(default_factory=dict)
    more: dict[str, list[Row]] = field(default_factory=dict)
    """What a command read for itself (``Prepares``)."""
    adjustments: dict[int, Row] = field(default_factory=dict)
    booked_alone: dict[tuple[int, str, str], int] = field(default_factory=dict)
    coupons: dict[str, Row] = field(default_factory=dict)
    offers: dict[int, Row] = field(default_factory=dict)


@dataclass(slots=True)
class Desk:
    """Everything one unit of work shares.

    ``members`` and ``books`` are by member id, ``names`` leads from a tenant's external ids
    to member ids; the id of one that was merged leads to the member it is part of, and in ``own``
    to its own row. ``fresh`` are members that are not booked yet, and never will be unless a
    command touches them. ``after`` are statements to run once everything is written.
    Nothing is booked before ``closed_until``, whatever the clock says.
    """

    tenant_id: int
    now: datetime
    ids: Ids
    ruleset: Ruleset
    loaded: Loaded
    closed_until: datetime
    rulesets: dict[int, Ruleset] = field(default_factory=dict)
    members: dict[int, Row] = field(default_factory=dict)
    fresh: set[int] = field(default_factory=set)
    books: dict[int, Book] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    own: dict[str, int] = field(default_factory=dict)
    after: list[Statement] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    tuples: list[tuple[str, Sequence[tuple[Any, ...]]]] = field(default_factory=list)
    touched: dict[int, str] = field(default_factory=dict)
    seen: list[tuple[dict[Any, Any], Any, Any]] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)

    def ruleset_of(self, order: Row) -> Ruleset:
        """The ruleset an order was judged by; what this unit books is judged by today's."""
        return self.rulesets.get(order["ruleset_version"], self.ruleset)

    def insert(self, table: str, **values: Any) -> int:
        """Note a row to insert; returns its id."""
        id = values.get("id") or self.ids.next()
        self.writes.append(Write(table, None, {"id": id, "tenant_id": self.tenant_id} | values))
        return int(id)

    def insert_tuples(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Note many rows to insert, each in the table's column order."""
        self.tuples.append((table, rows))

    def update(self, table: str, id: int, **values: Any) -> None:
        """Note columns to change of one row."""
        self.writes.append(Write(table, id, values))
        if table == "reservation" and id in self.loaded.reservations:
            # Whoever comes after in the same unit must find it as it is now.
            self.see(self.loaded.reservations, id, self.loaded.reservations[id] | values)

    def delete(self, table: str, id: int) -> None:
        """Note a row to delete."""
        self.writes.append(Write(table, id, {}))

    def see(self, rows: dict[Any, Any], key: Any, value: Any) -> None:
        """Let the unit's later commands find ``value`` among ``rows``, a dict of ``loaded``."""
        self.seen.append((rows, key, rows.get(key)))
        rows[key] = value

    def noted(self) -> Noted:
        """Where to go back to."""
        return Noted(len(self.writes), len(self.tuples), dict(self.touched), len(self.seen))

    def back_to(self, noted: Noted) -> None:
        """Forget what was noted since."""
        del self.writes[noted.writes :]
        del self.tuples[noted.tuples :]
        self.touched = noted.touched
        while len(self.seen) > noted.seen:
            rows, key, before = self.seen.pop()
            if before is None:
                del rows[key]
            else:
                rows[key] = before

    def moment_of(self, member_id: int | None) -> datetime:
        """The moment by which a member's holds are judged: its book's, which a clock stepped
        back does not move; now without a member."""
        return self.now if member_id is None else max(self.now, self.books[member_id].at)

    def moment_of_all(self, member_id: int | None, holders: Iterable[int]) -> datetime:
        """The latest moment among those who hold together: what they hold from then on, each of
        them holds, also right after a clock was stepped back."""
        moments = [self.books[id].at for id in holders if id in self.books]
        return max([self.moment_of(member_id), *moments])

    def book_of(self, member_id: int | None) -> Book | None:
        return None if member_id is None else self.books[member_id]

    def holders_of(self, reservation_id: int) -> list[int]:
        """Whose value a reservation holds or held, as far as they are locked."""
        drawn = self.loaded.draws.get(reservation_id)
        if drawn is None:
            # Made by this unit, so its draws are not rows yet.
            return [id for id, book in self.books.items() if reservation_id in book.accounts.holds]
        holders = {row["holder_id"] for row in drawn}
        holders.add(self.loaded.reservations[reservation_id]["member_id"])
        return sorted(id for id in holders if id in self.books)

    def explain(self, transaction_id: int, reason: str | None) -> None:
        """Keep why a transaction was booked, beside the ledger: free text has to be erasable."""
        if reason:
            self.reasons[transaction_id] = reason

    def touch(self, member_id: int, reason: str) -> None:
        """Say that a member changed, and why: its version moves and it is told of."""
        self.touched[member_id] = reason


class Idempotent(NamedTuple):
    """A caller's key: scoped by tenant, client and operation, tied to the body it came with."""

    client: str
    operation: str
    key: str
    body_hash: str


class Needs(NamedTuple):
    """What a command wants loaded before it decides.

    ``holders`` are row ids of whoever else's value it moves, beside members: gift cards.
    ``uses`` are coupon uses and stock that it would hold; ``open_of`` names members whose open
    reservations it would give back, ``coupons`` are codes it would change.
    ``adjusts`` names members whose recent corrections count.
    ``offers`` are ids of members' own offers that it would change.
    ``own`` are names of members of whom every row is wanted: those merged into them too.
    """

    members: tuple[str, ...] = ()
    reservations: tuple[int, ...] = ()
    carts: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    refunds: tuple[str, ...] = ()
    enrols: tuple[str, ...] = ()
    history_of: tuple[str, ...] = ()
    holders: tuple[int, ...] = ()
    uses: tuple[QuotaUse, ...] = ()
    open_of: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    adjustments: tuple[int, ...] = ()
    coupons: tuple[str, ...] = ()
    adjusts: tuple[str, ...] = ()
    offers: tuple[int, ...] = ()


class Command(Protocol):
    """One thing asked for. ``decide`` returns a JSON-able outcome or raises LoyaltyError.

    ``at`` is the moment by which it is judged: None for now; an import of the past gives the
    moment each order occurred.
    """

    @property
    def tenant_id(self) -> int: ...
    @property
    def idempotent(self) -> Idempotent | None: ...
    @property
    def at(self) -> datetime | None: ...
    def needs(self) -> Needs: ...
    def decide(self, desk: Desk) -> dict[str, Any]: ...


@runtime_checkable
class Prepares(Protocol):
    """A command that reads more than others do, under the locks; it is alone in its unit."""

    def prepare(self, desk: Desk) -> Unit[None]: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one command: an outcome, or the refusal; never both."""

    outcome: Mapping[str, Any] | None
    refusal: Exception | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """A member whose accounts, tier or profile moved, for caches and subscribers."""

    tenant_id: int
    member_id: int
    external_id: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class Booked:
    """The result of a unit: a verdict per command, and who changed."""

    verdicts: Sequence[Verdict]
    changed: Sequence[MemberChanged]
