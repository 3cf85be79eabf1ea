"""A member at a glance: profile, balances, tier.

What is kept in the cache is the row, the lots, and the holds with their boundaries; every
figure is computed from them by the clock at the moment of the question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from loyalty.clock import Clock
from loyalty.domain import tiers
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import instant
from loyalty.domain.books.lots import Balance, balance
from loyalty.domain.books.settle import settle
from loyalty.domain.quotes.quote_terms import MemberFacts
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.units import credit_unit, is_credit, is_money
from loyalty.errors import NotFound
from loyalty.services.books.snapshots import (
    Snapshot,
    beside_profiles,
    decoded,
    encoded,
    lots_missing,
    snapshots,
)
from loyalty.services.rulesets import Rulesets
from loyalty.storage import members as sql
from loyalty.storage.database import Database


class SummaryCache(Protocol):
    """Where raw summaries are kept; the value carries the member's version."""

    async def get(self, tenant_id: int, member_id: int) -> bytes | None: ...
    async def put(self, tenant_id: int, member_id: int, version: int, value: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Consents:
    """What a member agreed to."""

    email: bool
    sms: bool
    profiling: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What a member's accounts come to at one moment."""

    balances: tuple[Balance, ...]
    moneys: tuple[Balance, ...]
    tier: tiers.TierStatus
    at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A member as shown, at one moment; or another holder of accounts, such as a gift card.

    ``balances`` are of the program's point types, ``moneys`` of credit and gift cards, in minor
    units, one for each unit that the holder has or had some of.
    """

    tenant_id: int
    id: int
    external_id: str
    state: str
    version: int
    name: str | None
    email: str | None
    locale: str | None
    birthday: str | None
    consents: Consents
    joined_at: datetime
    balances: tuple[Balance, ...]
    moneys: tuple[Balance, ...]
    tier: tiers.TierStatus
    at: datetime

    def balance(self, unit: str) -> Balance:
        """Raises NotFound for a point type the program does not have."""
        for item in self.balances:
            if item.unit == unit:
                return item
        raise NotFound("point type", unit)

    @property
    def credits(self) -> tuple[Balance, ...]:
        """Accounts of store credit, one for each currency."""
        return tuple(item for item in self.moneys if is_credit(item.unit))

    def credit_minor(self, currency: str) -> int:
        """Credit that can be spent now, in minor units of its currency."""
        unit = credit_unit(currency)
        return next((item.available for item in self.credits if item.unit == unit), 0)

    def money(self, unit: str) -> Balance | None:
        """An account of money; None where the holder never had one."""
        return next((item for item in self.moneys if item.unit == unit), None)

    def facts(self) -> MemberFacts:
        """What a quote needs to know."""
        return MemberFacts(
            external_id=self.external_id,
            is_active=self.state == "ACTIVE",
            state=self.state,
            tier=self.tier.current.code,
            available={item.unit: item.available for item in self.balances},
            expiring={
                item.unit: sum(part.points for part in item.expiring_soon) for item in self.balances
            },
        )


class Summaries:
    """Reads members, through the cache where the answer is only shown."""

    def __init__(
        self, database: Database, clock: Clock, rulesets: Rulesets, cache: SummaryCache
    ) -> None:
        self._database = database
        self._clock = clock
        self._rulesets = rulesets
        self._cache = cache

    async def shown(self, tenant_id: int, name: str, ruleset: Ruleset | None = None) -> Member:
        """For display: a cached copy will do.

        Args:
            ruleset: the one in force, where the caller has asked for it already.

        Raises:
            NotFound: no such member of this tenant.
        """
        known = await self._database.read(sql.ID_AND_VERSION(tenant_id, name))
        if not known:
            raise NotFound("member", name)
        member_id, version = known[0]
        cached = await self._cache.get(tenant_id, member_id)
        if cached is not None:
            snapshot = decoded(cached)
            if snapshot is not None and snapshot.member["version"] >= version:
                return await self._viewed(tenant_id, snapshot, ruleset)
        snapshot = await self._read(tenant_id, member_id, name)
        await self._cache.put(tenant_id, member_id, snapshot.member["version"], encoded(snapshot))
        return await self._viewed(tenant_id, snapshot, ruleset)

    async def exact(
        self,
        tenant_id: int,
        name: str,
        *,
        ruleset: Ruleset | None = None,
        without: int | None = None,
    ) -> Member:
        """For a quote: straight from the database.

        Args:
            ruleset: the one in force, where the caller has asked for it already.
            without: a reservation whose hold is looked at as if it were given back.

        Raises:
            NotFound: no such member of this tenant.
        """
        known = await self._database.read(sql.ID_AND_VERSION(tenant_id, name))
        if not known:
            raise NotFound("member", name)
        snapshot = await self._read(tenant_id, known[0][0], name)
        return await self._viewed(tenant_id, snapshot, ruleset, without)

    async def by_id(self, tenant_id: int, member_id: int, ruleset: Ruleset | None = None) -> Member:
        """By our own id, straight from the database.

        Args:
            ruleset: the one in force, where the caller has asked for it already.

        Raises:
            NotFound: no such member of this tenant.
        """
        snapshot = await self._read(tenant_id, member_id, str(member_id))
        return await self._viewed(tenant_id, snapshot, ruleset)

    async def holders(
        self,
        tenant_id: int,
        ids: Sequence[int],
        *,
        ruleset: Ruleset | None = None,
        without: int | None = None,
    ) -> dict[int, Member]:
        """Holders of accounts by our own ids, read at one instant; the rest as for ``exact``."""
        if not ids:
            return {}
        statement = sql.PROFILES_BY_ID(tenant_id, list(ids))
        found = await self._database.read_unit(lambda: snapshots(tenant_id, statement))
        ruleset, now = await self._rulesets.current(tenant_id), self._clock.now()
        return {each.member["id"]: viewed(tenant_id, each, ruleset, now, without) for each in found}

    async def listed(
        self, tenant_id: int, first: int, after_id: int, prefix: str | None
    ) -> list[Member]:
        """Members in id order, from the one after ``after_id``; ``prefix`` of external ids."""
        if prefix:
            end = prefix + "\U0010ffff"
            statement = sql.FIND(tenant_id, after_id, first, prefix, end)
        else:
            statement = sql.LIST(tenant_id, after_id, first)
        found = await self._database.read_unit(lambda: snapshots(tenant_id, statement))
        if not found:
            return []
        ruleset = await self._rulesets.current(tenant_id)
        now = self._clock.now()
        return [viewed(tenant_id, snapshot, ruleset, now) for snapshot in found]

    async def _read(self, tenant_id: int, member_id: int, name: str) -> Snapshot:
        ids, statement = [member_id], sql.PROFILE_BY_ID(tenant_id, member_id)
        members, *others = await self._database.read_at_once(
            statement, *beside_profiles(tenant_id, ids)
        )
        if members and not lots_missing(*others):
            return Snapshot(dict(zip(sql.PROFILE_COLUMNS, members[0], strict=True)), *others)
        # Once in a while a hold draws on a lot that has ended: more to read, of one instant too.
        found = await self._database.read_unit(lambda: snapshots(tenant_id, statement))
        if not found:
            raise NotFound("member", name)
        return found[0]

    async def _viewed(
        self,
        tenant_id: int,
        snapshot: Snapshot,
        ruleset: Ruleset | None = None,
        without: int | None = None,
    ) -> Member:
        rules = ruleset or await self._rulesets.current(tenant_id)
        return viewed(tenant_id, snapshot, rules, self._clock.now(), without)


def viewed(
    tenant_id: int,
    snapshot: Snapshot,
    ruleset: Ruleset,
    now: datetime,
    without: int | None = None,
) -> Member:
    """The member by the clock: settled in a copy that is thrown away.

    Args:
        without: a reservation whose hold is given back in the copy.
    """
    book = Book(snapshot.accounts(tenant_id), now, lambda: 0)
    at = settle(book, ruleset, now)
    if without in book.accounts.holds:
        book.release(without, at)
        # What came back may pay a debt, or have ended while it was held.
        at = settle(book, ruleset, at)
    seen, row = figures(book, ruleset, at), snapshot.member
    return Member(
        tenant_id=tenant_id,
        id=row["id"],
        external_id=row["external_id"],
        state=row["state"],
        version=row["version"],
        name=row["name"],
        email=row["email"],
        locale=row["locale"],
        birthday=row["birthday"],
        consents=Consents(
            bool(row["consent_email"]), bool(row["consent_sms"]), bool(row["consent_profiling"])
        ),
        joined_at=instant(row["joined_at"]),
        balances=seen.balances,
        moneys=seen.moneys,
        tier=seen.tier,
        at=seen.at,
    )


def figures(book: Book, ruleset: Ruleset, at: datetime) -> Figures:
    """What accounts settled up to ``at`` come to then."""
    accounts, policy = book.accounts, ruleset.tier_policy
    lots = list(accounts.lots.values())

    def shown(unit: str) -> Balance:
        return balance(
            unit,
            lots,
            held=book.held(unit),
            deficit=accounts.deficits.get(unit, 0),
            at=at,
            soon_days=ruleset.expiring_soon_days,
        )

    return Figures(
        balances=tuple(shown(kind.code) for kind in ruleset.point_types),
        moneys=tuple(shown(unit) for unit in sorted(accounts.balances) if is_money(unit)),
        tier=tiers.status(policy, accounts.standing, book.qualifying(policy.point_type), at),
        at=at,
    )
