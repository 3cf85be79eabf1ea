"""Refunds of an order: what is asked, what that comes to, and what it moves.

Each step is asked for by lines (pieces or amounts) or for all that is left. It adds to what
was asked before; ``refund_targets`` says what all of it together comes to, and the step books
the difference to what was booked. ``docs/concepts/checkout.md`` tells it in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import Cause, LotTerms
from loyalty.domain.books.lots import Draw
from loyalty.domain.order import Earned
from loyalty.domain.refunds.order_facts import OrderFacts, UseTaken
from loyalty.domain.refunds.refund_asks import Asked
from loyalty.domain.refunds.refund_takes import Owned, Took
from loyalty.domain.refunds.refund_targets import Portion, Targets, targets
from loyalty.domain.rulesets.ruleset import Clawback, PointsTender, RefundPolicy


class HeldDraw(NamedTuple):
    """What a lot paid of the order, in the sequence drawn; ``returned`` is given back already.

    ``holder_id`` is whose lot it is: the member's, or a gift card's. An order draws on a lot
    once.
    """

    holder_id: int
    lot_id: int
    unit: str
    amount: int
    returned: int


@dataclass(frozen=True, slots=True)
class Booked:
    """What an order's refunds booked altogether; amounts in minor units.

    ``returned`` is by unit: points, and credit and gift-card money beside them. ``reversed`` is
    what was taken back by point type, an owed part included. ``restored`` are the rewards whose
    uses came back.
    """

    money_minor: int = 0
    credit_minor: int = 0
    gift_minor: int = 0
    points_minor: int = 0
    value_minor: int = 0
    tax_minor: int = 0
    off_minor: int = 0
    deducted_minor: int = 0
    by_line: tuple[int, ...] = ()
    returned: Mapping[str, int] = field(default_factory=dict)
    reversed: Mapping[str, int] = field(default_factory=dict)
    restored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refunded:
    """An order's refunds so far: what was asked, what was booked, what was taken by unit.

    ``is_flagged``: more was reported than was bought, and nothing else flags the order.
    """

    asked: Asked = field(default_factory=Asked)
    booked: Booked = field(default_factory=Booked)
    took: Mapping[str, Took] = field(default_factory=dict)
    is_flagged: bool = False

    def shortfall(self, unit: str) -> int:
        """What should have been taken back and was spent already."""
        took = self.took.get(unit)
        return 0 if took is None else took.missing


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """What a refund is decided with besides the step itself.

    ``books`` are those of the holders whose lots paid, and of the member (None: a guest, or
    one whose accounts are gone). ``grace`` are the terms of the lots that stand in for expired
    ones, None for none.
    """

    policy: RefundPolicy
    tender: PointsTender | None
    member: Book | None
    books: Mapping[int, Book]
    credit_unit: str
    gift_unit: str
    at: datetime
    grace: LotTerms | None


@dataclass(frozen=True, slots=True)
class Step:
    """What one step changed: the order's refunds after it, and the draws with more returned.

    ``booked`` is the difference to before; ``restored`` are the uses that came back with it.
    """

    after: Refunded
    booked: Booked
    draws: tuple[HeldDraw, ...]
    restored: tuple[UseTaken, ...]
    is_all: bool


def refund(
    facts: OrderFacts,
    earned: Sequence[Earned],
    draws: Sequence[HeldDraw],
    before: Refunded,
    portion: Portion,
    using: RefundTerms,
    cause: Cause,
    *,
    may_lessen: bool = False,
) -> Step:
    """Move what ``portion`` of the order comes to, less what refunds moved before.

    Gives back first: to the lots drawn last first, as if less had been spent. Then takes back.

    Args:
        before: with what this step asks for among its ``asked``.
        may_lessen: a change of the order may have more bought again than before: what was
            given back for it is spent again, as far as it is still there. Uses stay given back.
    """
    policy, was = using.policy, before.booked
    due = targets(facts, earned, portion, policy.broken_minimum)
    # Money that was given back stays given back.
    floor = Booked() if may_lessen else was
    credit = max(due.credit_minor, floor.credit_minor)
    gift = max(due.gift_minor, floor.gift_minor)
    wanted = dict(due.returned) | {using.credit_unit: credit, using.gift_unit: gift}
    moved = _given_back(draws, wanted, using, cause)
    if may_lessen:
        before, again = _spent_again(draws, wanted, before, using, cause)
        moved += again
    returned = dict(was.returned)
    for draw, more in moved:
        returned[draw.unit] = returned.get(draw.unit, 0) + more
    took, reversed_ = _taken_back(earned, due, before, using, cause)
    after = Refunded(before.asked, was, took)
    # What was given back is not kept any more, whatever is spent since.
    deducted = _deducted(after, using, max(due.money_minor - floor.money_minor, 0))
    money = max(due.money_minor - deducted, floor.money_minor)
    # Nor is a discount lost with it.
    stays = money - (due.money_minor - deducted) + credit - due.credit_minor + gift - due.gift_minor
    booked = Booked(
        money_minor=money,
        credit_minor=max(credit, returned.get(using.credit_unit, 0)),
        gift_minor=max(gift, returned.get(using.gift_unit, 0)),
        points_minor=due.points_minor,
        value_minor=due.value_minor,
        tax_minor=due.tax_minor,
        off_minor=max(due.off_minor - stays, 0),
        deducted_minor=deducted,
        by_line=due.by_line,
        returned=returned,
        reversed=reversed_,
        restored=(*was.restored, *(code for code in due.ended if code not in was.restored)),
    )
    return Step(
        after=replace(after, booked=booked),
        booked=_difference(booked, was),
        draws=tuple(draw._replace(returned=draw.returned + more) for draw, more in moved),
        restored=tuple(
            use
            for reward in facts.rewards
            if reward.code in due.ended and reward.code not in was.restored
            for use in reward.uses
        ),
        is_all=portion.is_all,
    )


def _deducted(after: Refunded, using: RefundTerms, most: int) -> int:
    """What is kept of the money for points that were spent already, ``most`` minor units."""
    if using.policy.clawback is not Clawback.DEDUCT or using.tender is None:
        return 0
    worth = after.shortfall(using.tender.point_type) * using.tender.minor
    return min(worth // using.tender.points, most)


def _given_back(
    draws: Sequence[HeldDraw], wanted: Mapping[str, int], using: RefundTerms, cause: Cause
) -> list[tuple[HeldDraw, int]]:
    """Return what is wanted by unit beyond what was returned; the draws with what each got."""
    moved: list[tuple[HeldDraw, int]] = []
    for unit, whole in wanted.items():
        own = [draw for draw in draws if draw.unit == unit]
        more = whole - sum(draw.returned for draw in own)
        for draw in reversed(own):
            part = min(draw.amount - draw.returned, more)
            if part > 0:
                moved.append((draw, part))
                more -= part
    by_holder: dict[int, list[Draw]] = {}
    for draw, part in moved:
        by_holder.setdefault(draw.holder_id, []).append(Draw(draw.lot_id, draw.unit, part))
    for holder_id, parts in by_holder.items():
        using.books[holder_id].give_back(parts, using.at, cause, expired_terms=using.grace)
    return moved


def _spent_again(
    draws: Sequence[HeldDraw],
    wanted: Mapping[str, int],
    before: Refunded,
    using: RefundTerms,
    cause: Cause,
) -> tuple[Refunded, list[tuple[HeldDraw, int]]]:
    """Spend again what was given back beyond what is wanted, from the lots it went to.

    Those drawn first are spent first. What a debt took of it is there too: it is given up and
    taken anew by what follows. What somebody spent meanwhile, or what expired, stays given back.

    Returns:
        The refunds so far, less what was given up; and the draws with what each lost, below zero.
    """
    over: dict[str, int] = {}
    for unit, whole in wanted.items():
        back = sum(draw.returned for draw in draws if draw.unit == unit)
        if back > whole:
            over[unit] = back - whole
    if over and using.member is not None:
        took, reversed_ = dict(before.took), dict(before.booked.reversed)
        for unit in over.keys() & took.keys():
            took[unit], more = using.member.give_up(unit, took[unit], using.at, cause)
            reversed_[unit] = reversed_.get(unit, 0) + more
        before = replace(before, took=took, booked=replace(before.booked, reversed=reversed_))
    moved: list[tuple[HeldDraw, int]] = []
    by_holder: dict[int, list[Draw]] = {}
    for draw in draws:
        lot = using.books[draw.holder_id].accounts.lots[draw.lot_id]
        left = lot.remaining if lot.is_live(using.at) else 0
        part = min(draw.returned, over.get(draw.unit, 0), left)
        if part:
            over[draw.unit] -= part
            moved.append((draw, -part))
            by_holder.setdefault(draw.holder_id, []).append(Draw(draw.lot_id, draw.unit, part))
    for holder_id, parts in by_holder.items():
        using.books[holder_id].spend_again(parts, using.at, cause)
    return before, moved


def _taken_back(
    earned: Sequence[Earned],
    due: Targets,
    before: Refunded,
    using: RefundTerms,
    cause: Cause,
) -> tuple[dict[str, Took], dict[str, int]]:
    """Take back what was earned; what was taken by unit, and the sums of it."""
    took, reversed_ = dict(before.took), dict(before.booked.reversed)
    if using.member is None:
        return took, reversed_
    owned: dict[str, list[Owned]] = {}
    for item, target in zip(earned, due.reversed, strict=True):
        owned.setdefault(item.point_type, []).append(Owned(item.lot_id, item.points, target))
    may_owe = using.policy.clawback is Clawback.ALLOW_DEFICIT
    # What was given back may owe something too, though the order earned none of its unit.
    for unit in dict.fromkeys((*owned, *due.returned)):
        known = took.get(unit, Took())
        took[unit], more = using.member.retake(
            unit, owned.get(unit, ()), known, using.at, cause, may_owe=may_owe
        )
        if more:
            reversed_[unit] = reversed_.get(unit, 0) + more
    return took, reversed_


def _difference(now: Booked, was: Booked) -> Booked:
    # A change of the order may have added lines; shipping stays the last.
    added = (0,) * (len(now.by_line) - len(was.by_line))
    before = (*was.by_line[:-1], *added, *was.by_line[-1:])
    return Booked(
        money_minor=now.money_minor - was.money_minor,
        credit_minor=now.credit_minor - was.credit_minor,
        gift_minor=now.gift_minor - was.gift_minor,
        points_minor=now.points_minor - was.points_minor,
        value_minor=now.value_minor - was.value_minor,
        tax_minor=now.tax_minor - was.tax_minor,
        off_minor=now.off_minor - was.off_minor,
        deducted_minor=now.deducted_minor - was.deducted_minor,
        by_line=tuple(a - b for a, b in zip(now.by_line, before, strict=True)),
        returned=_less(now.returned, was.returned),
        reversed=_less(now.reversed, was.reversed),
        restored=tuple(code for code in now.restored if code not in was.restored),
    )


def _less(now: Mapping[str, int], was: Mapping[str, int]) -> dict[str, int]:
    return {
        unit: amount - was.get(unit, 0)
        for unit, amount in now.items()
        if amount != was.get(unit, 0)
    }
