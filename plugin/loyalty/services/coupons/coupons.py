"""Coupons and the stock of rewards: issue, revoke, set, list."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.codes import ALPHABET, is_coupon_code, normalised
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.errors import BadInput, NotFound
from loyalty.services.audit import COMMAND_LINE
from loyalty.services.books.desk import Idempotent
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.coupons.coupon_commands import (
    CouponTerms,
    IssueCoupons,
    RevokeCoupon,
    SetStock,
)
from loyalty.storage import members as members_sql
from loyalty.storage import quotas as sql
from loyalty.storage.database import Database

ISSUED_MAX = 1_000
"""Coupons issued in one call."""
RANDOM_LENGTH = 10
"""Random characters of a code that we make: 50 bits."""


@dataclass(frozen=True, slots=True)
class IssuedCoupons:
    """Codes that were made; ``replayed``: by the first call with this key."""

    codes: tuple[str, ...]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon as it stands: ``used`` for good and ``held`` by open reservations.

    ``member`` is the external id of whose it is; None: anybody's, or erased.
    """

    id: int
    code: str
    reward: str
    member_id: int | None
    member: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    state: str
    uses_max: int | None
    uses_per_member_max: int | None
    used: int
    held: int
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Stock:
    """A reward's stock: ``total`` set by the merchant, ``used`` and ``held`` of it."""

    reward: str
    total: int | None
    used: int
    held: int


class Coupons:
    """Coupons and stock as merchants see them."""

    def __init__(self, database: Database, door: Door, clock: Clock) -> None:
        self._database = database
        self._door = door
        self._clock = clock

    async def issue(
        self,
        tenant_id: int,
        once: Idempotent | None,
        terms: CouponTerms,
        issued_by: str,
        *,
        codes: Sequence[str] = (),
        count: int = 0,
        prefix: str = "",
    ) -> IssuedCoupons:
        """Make coupons of given codes, or ``count`` of random ones.

        A repeat with the same key returns the first call's codes.

        Raises:
            BadInput: codes that are none or too many, limits or dates that make no sense.
            NotFound: no such reward or member. AlreadyExists: a code is taken.
        """
        _check(terms)
        if codes and count:
            raise BadInput("found codes and a count, wanted one of the two", field=("input",))
        made = tuple(dict.fromkeys(normalised(code) for code in codes))
        start = normalised(prefix)
        if not codes:
            made = tuple(start + _random() for _ in range(min(max(count, 0), ISSUED_MAX + 1)))
        if not 1 <= len(made) <= ISSUED_MAX:
            raise BadInput(f"found {len(made)} codes, wanted 1 to {ISSUED_MAX}", field=("input",))
        for code in made:
            if not is_coupon_code(code):
                raise BadInput(
                    f"found code {code[:80]!r}, wanted 3 to 64 of A-Z, 0-9, - and _",
                    field=("input", "codes" if codes else "prefix"),
                )
        command = IssueCoupons(tenant_id, once, made, terms, issued_by)
        verdict = await self._door.submit(command)
        found = outcome_of(verdict)["codes"]
        assert isinstance(found, list)
        return IssuedCoupons(tuple(found), verdict.replayed)

    async def revoke(
        self, tenant_id: int, once: Idempotent | None, code: str, by: str = COMMAND_LINE
    ) -> Coupon:
        """Raises NotFound."""
        command = RevokeCoupon(tenant_id, once, normalised(code), by)
        outcome_of(await self._door.submit(command))
        return await self.named(tenant_id, code)

    async def set_stock(
        self,
        tenant_id: int,
        once: Idempotent | None,
        reward: str,
        total: int,
        by: str = COMMAND_LINE,
    ) -> Stock:
        """Say how often a stocked reward may be taken in all.

        Raises:
            NotFound: no such reward. BadInput: it has no stock, or the total is no count.
        """
        if not 0 <= total <= AMOUNT_MINOR_MAX:
            raise BadInput(
                f"found total {total}, wanted 0 to {AMOUNT_MINOR_MAX}", field=("input", "total")
            )
        outcome_of(await self._door.submit(SetStock(tenant_id, once, reward, total, by)))
        return next(item for item in await self.stocks(tenant_id) if item.reward == reward)

    async def named(self, tenant_id: int, code: str) -> Coupon:
        """Raises NotFound."""
        rows = await self._database.read(sql.COUPONS(tenant_id, [normalised(code)]))
        if not rows:
            raise NotFound("coupon", code)
        return (await self._coupons(tenant_id, rows))[0]

    async def listed(self, tenant_id: int, first: int, after_id: int = 0) -> list[Coupon]:
        """Coupons in the sequence in which they were issued."""
        rows = await self._database.read(sql.COUPONS_LISTED(tenant_id, after_id, first))
        return await self._coupons(tenant_id, rows)

    async def stocks(self, tenant_id: int) -> list[Stock]:
        """Every reward whose stock was set or counted, by its code."""
        rows = await self._database.read(sql.STOCKS_LISTED(tenant_id))
        held = await self._held(tenant_id, [row[0] for row in rows])
        return [
            Stock(subject, total, used, held.get(id, 0)) for id, subject, total, _, used in rows
        ]

    async def _coupons(self, tenant_id: int, rows: Sequence[Sequence[Any]]) -> list[Coupon]:
        held = await self._held(tenant_id, [row[0] for row in rows])
        ids = list({row[3] for row in rows if row[3] is not None})
        named = await self._database.read(members_sql.NAMES_OF_IDS(tenant_id, ids)) if ids else []
        names = {id: str(name) for id, name in named}
        return [_coupon(row, names.get(row[3]), held.get(row[0], 0)) for row in rows]

    async def _held(self, tenant_id: int, ids: Sequence[int]) -> dict[int, int]:
        if not ids:
            return {}
        rows = await self._database.read(sql.HELD(tenant_id, list(ids), self._clock.now(), 0))
        return {id: int(count) for id, count in rows}


def _coupon(row: Sequence[Any], member: str | None, held: int) -> Coupon:
    (
        id, code, reward, member_id, starts_at, ends_at, state, uses_max, member_max, used,
        created_at, created_by,
    ) = row  # fmt: skip
    return Coupon(
        id, code, reward, member_id, member,
        None if starts_at is None else instant(starts_at),
        None if ends_at is None else instant(ends_at),
        state, uses_max, member_max, used, held, instant(created_at), created_by,
    )  # fmt: skip


def _check(terms: CouponTerms) -> None:
    for name, limit in (
        ("usesMax", terms.uses_max),
        ("usesPerMemberMax", terms.uses_per_member_max),
    ):
        if limit is not None and not 1 <= limit <= AMOUNT_MINOR_MAX:
            raise BadInput(
                f"found {name} {limit}, wanted 1 to {AMOUNT_MINOR_MAX}", field=("input", name)
            )
    starts, ends = terms.starts_at, terms.ends_at
    if starts is not None and ends is not None and ends <= starts:
        raise BadInput(
            f"found endsAt {ends.isoformat()}, wanted one after startsAt {starts.isoformat()}",
            field=("input", "endsAt"),
        )


def _random() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
