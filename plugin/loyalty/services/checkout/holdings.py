"""What a shopper holds beside points, read at one instant for a quote."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.codes import CODE_MAX, bare_gift_code, normalised
from loyalty.domain.quotes.quote_holdings import CouponFacts, GiftCardFacts, Holdings, QuotaFacts
from loyalty.domain.quotes.quote_terms import Choice, QuotaKind
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.units import credit_unit, gift_unit
from loyalty.errors import BadInput
from loyalty.services.coupons.gift_cards import GiftCards
from loyalty.services.members.summary import Member, Summaries
from loyalty.services.offers.offer_facts import (
    OWN_OFFERS_MAX,
    TOLD_FOR,
    budget_subjects,
    budgets_left,
    offer_facts,
)
from loyalty.storage import checkout as checkout_sql
from loyalty.storage import offers as offers_sql
from loyalty.storage import quotas as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Statement, Unit, together

CODES_MAX = 20
"""Codes handed in with one quote."""
OWN_COUPONS_MAX = 20
"""Coupons of the member's own that a quote reckons with, the oldest first."""

Rows = Sequence[Sequence[Any]]


class HoldingsReader:
    """Finds the coupons and gift cards behind codes, and what is left of what members share."""

    def __init__(
        self, database: Database, clock: Clock, summaries: Summaries, gift_cards: GiftCards
    ) -> None:
        self._database = database
        self._clock = clock
        self._summaries = summaries
        self._gift_cards = gift_cards

    async def replaced(self, tenant_id: int, cart_id: str) -> tuple[int, int | None] | None:
        """The reservation that to reserve for this cart would replace, and its member's id."""
        rows = await self._database.read(checkout_sql.OPEN_OF_CART(tenant_id, cart_id))
        return (rows[0][0], rows[0][1]) if rows else None

    async def read(
        self,
        tenant_id: int,
        ruleset: Ruleset,
        member: Member | None,
        choice: Choice,
        without: int | None = None,
    ) -> tuple[Holdings, Choice]:
        """What may be used, and the choice with the codes of coupons, the member's own too.

        A coupon of another member is as unknown as one that does not exist.

        Args:
            without: a reservation that is looked at as if it were given back.

        Raises:
            BadInput: too many codes, or one that is no text.
        """
        codes = _codes(choice.codes)
        bare = {code: bare_gift_code(code) for code in codes}
        hashes = {
            self._gift_cards.hash_of(tenant_id, text): code for code, text in bare.items() if text
        }
        counted = [reward.code for reward in ruleset.rewards if reward.is_counted]
        credit = member.money(credit_unit(ruleset.currency)) if member is not None else None
        found = Holdings(credit_minor=max(credit.available, 0) if credit is not None else 0)
        if not codes and not counted and member is None:
            return found, replace(choice, codes=codes)
        now = self._clock.now()
        member_id = None if member is None else member.id
        budgets = budget_subjects(ruleset) if member is not None else []
        asked = _Asked(
            tenant_id, member_id, codes, list(hashes), counted, now, without or 0, budgets
        )
        seen = asked.seen(await self._database.read_at_once(*asked.statements()))
        if seen.counters:
            # What is left of them has to be read at the same instant.
            seen = await self._database.read_unit(asked.seen_with_counts)
        coupons = [_coupon(row, seen.held, seen.own) for row in seen.coupons]
        known = {coupon.code for coupon in coupons}
        cards = await self._cards(tenant_id, ruleset, seen.cards, hashes, known, without)
        is_card = set(cards)
        order = [code for code in codes if code in known]
        order += [coupon.code for coupon in coupons if coupon.code not in order]
        found = replace(
            found,
            coupons=tuple(coupons),
            unknown_codes=tuple(c for c in codes if c not in known and c not in is_card),
            gift_cards=tuple(cards[code] for code in codes if code in cards),
            quotas=_quotas(ruleset, counted, seen),
            offers=tuple(offer_facts(row, seen.held) for row in seen.offers),
            budgets=budgets_left(ruleset, seen.budgets, seen.held) if seen.offers else {},
        )
        return found, replace(choice, codes=tuple(order))

    async def _cards(
        self,
        tenant_id: int,
        ruleset: Ruleset,
        rows: Rows,
        hashes: dict[str, str],
        known: set[str],
        without: int | None,
    ) -> dict[str, GiftCardFacts]:
        """By the code that was handed in."""
        if not rows:
            return {}
        holders = await self._summaries.holders(
            tenant_id, [row[3] for row in rows], ruleset=ruleset, without=without
        )
        cards: dict[str, GiftCardFacts] = {}
        for _, code_hash, last4, holder_id, currency, _, state, expires_at, *_ in rows:
            code = hashes[code_hash]
            money = holders[holder_id].money(gift_unit(currency))
            if code not in known:
                cards[code] = GiftCardFacts(
                    holder_id=holder_id,
                    label=f"…{last4}",
                    currency=currency,
                    available_minor=money.available if money else 0,
                    expires_at=None if expires_at is None else instant(expires_at),
                    is_blocked=state != "ACTIVE",
                )
        return cards


@dataclass(slots=True)
class _Seen:
    """Rows of one snapshot. ``held`` and ``own`` are by the id of a coupon or a stock."""

    coupons: list[Sequence[Any]]
    cards: Rows
    stocks: Rows
    offers: Rows = ()
    budgets: Rows = ()
    held: dict[int, int] = field(default_factory=dict)
    own: dict[int, int] = field(default_factory=dict)

    @property
    def counters(self) -> list[int]:
        """Ids of all that is counted."""
        shared = self.budgets if self.offers else ()
        return [row[0] for row in (*self.coupons, *self.stocks, *self.offers, *shared)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one quote asks of coupons, gift cards and stock."""

    tenant_id: int
    member_id: int | None
    codes: Sequence[str]
    hashes: Sequence[str]
    counted: Sequence[str]
    now: datetime
    without: int
    budgets: Sequence[str]

    def statements(self) -> list[Statement]:
        """Coupons by code, gift cards, the member's own coupons, stock; and where the program has
        offers, the member's own and their budgets.
        """
        tenant, member = self.tenant_id, self.member_id or 0
        asked = [
            sql.COUPONS(tenant, list(self.codes)),
            sql.GIFT_CARDS(tenant, list(self.hashes)),
            sql.COUPONS_OF_MEMBER(tenant, member, self.now, OWN_COUPONS_MAX),
            sql.QUOTAS(tenant, QuotaKind.STOCK, list(self.counted)),
        ]
        if self.budgets:
            asked += [
                offers_sql.OF_MEMBER(tenant, member, self.now - TOLD_FOR, OWN_OFFERS_MAX),
                sql.QUOTAS(tenant, QuotaKind.BUDGET, list(self.budgets)),
            ]
        return asked

    def seen(self, rows: Sequence[Rows]) -> _Seen:
        """What the ``statements`` found."""
        of_codes, cards, own, stocks, *of_offers = rows
        by_code = {row[1]: row for row in of_codes if row[3] in (None, self.member_id)}
        coupons = [by_code[code] for code in self.codes if code in by_code]
        named = {row[0] for row in coupons}
        coupons += [row for row in own if row[0] not in named]
        offers, budgets = of_offers or ((), ())
        return _Seen(coupons, cards, stocks, offers, budgets)

    def seen_with_counts(self) -> Unit[_Seen]:
        """All of it, with how much is held and what the member has had."""
        seen = self.seen((yield from together(*self.statements())))
        members = [] if self.member_id is None else [self.member_id]
        held, own = yield from together(
            sql.HELD(self.tenant_id, seen.counters, self.now, self.without),
            sql.OF_MEMBERS(self.tenant_id, seen.counters, self.now, members, self.without),
        )
        seen.held = {id: int(count) for id, count in held}
        seen.own = {id: int(count) for id, _, count in own}
        return seen


def _codes(given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > CODES_MAX:
        raise BadInput(f"found {len(given)} codes, wanted at most {CODES_MAX}", field=("codes",))
    for position, code in enumerate(given):
        if not code.strip() or len(code) > CODE_MAX or not code.isprintable():
            raise BadInput(
                f"found code {code[:80]!r}, wanted 1 to {CODE_MAX} printable characters",
                field=("codes", str(position)),
            )
    return tuple(dict.fromkeys(normalised(code) for code in given))


def _coupon(row: Sequence[Any], held: dict[int, int], own: dict[int, int]) -> CouponFacts:
    id, code, reward, _, starts_at, ends_at, state, total_max, member_max, used, *_ = row
    return CouponFacts(
        coupon_id=id,
        code=code,
        reward=reward,
        starts_at=None if starts_at is None else instant(starts_at),
        ends_at=None if ends_at is None else instant(ends_at),
        is_revoked=state == "REVOKED",
        left_total=None if total_max is None else max(total_max - used - held.get(id, 0), 0),
        left_member=None if member_max is None else max(member_max - own.get(id, 0), 0),
    )


def _quotas(ruleset: Ruleset, counted: Sequence[str], seen: _Seen) -> dict[str, QuotaFacts]:
    rows = {row[1]: row for row in seen.stocks}
    found: dict[str, QuotaFacts] = {}
    for reward in ruleset.rewards:
        if reward.code not in counted:
            continue
        row, limit = rows.get(reward.code), reward.uses_per_member_max
        if row is None:
            found[reward.code] = QuotaFacts(None, limit, missing=True)
            continue
        id, _, total_max, member_max, used = row
        limits = [each for each in (limit, member_max) if each is not None]
        # A reward that is not stocked any more has no stock to run out of.
        total = total_max if reward.stocked else None
        found[reward.code] = QuotaFacts(
            None if total is None else max(total - used - seen.held.get(id, 0), 0),
            max(min(limits) - seen.own.get(id, 0), 0) if limits else None,
        )
    return found
