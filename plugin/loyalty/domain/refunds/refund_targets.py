"""What an order's refunds come to altogether: the cumulative target.

A pure function of how much of each line and of shipping came back, and of the order's facts.
Every figure is an exact rational sum rounded down once, so a refund of everything gives back
and takes back everything, to the last point and the last minor unit, in however many steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from loyalty.domain.order import Earned
from loyalty.domain.refunds.order_facts import FactsLine, OrderFacts, RewardTaken, UseTaken
from loyalty.domain.rulesets.ruleset import BrokenMinimum

ONE = Fraction(1)
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Portion:
    """How much of an order came back: a part of each line, in order, and of shipping.

    Each from 0 to 1.
    """

    lines: tuple[Fraction, ...]
    shipping: Fraction

    @property
    def all_lines(self) -> tuple[Fraction, ...]:
        return (*self.lines, self.shipping)

    @property
    def is_all(self) -> bool:
        return all(part == 1 for part in self.all_lines)


@dataclass(frozen=True, slots=True)
class Targets:
    """What refunds come to altogether.

    ``value_minor`` is what came back of the nets, whatever paid them, and ``by_line`` each
    line's part (shipping last); ``money_minor``, ``credit_minor`` and ``gift_minor`` are what
    is given back of it, less ``off_minor``: discounts that rewards lose because their minimum
    broke. ``returned`` has the points given back by point type, ``points_minor`` of them worth
    as payment; ``reversed`` the points taken back, one figure for each lot earned.
    ``restored`` are the uses that come back, with the rewards ``ended``.
    """

    value_minor: int
    by_line: tuple[int, ...]
    money_minor: int
    credit_minor: int
    gift_minor: int
    points_minor: int
    tax_minor: int
    off_minor: int
    returned: dict[str, int]
    reversed: tuple[int, ...]
    ended: tuple[str, ...]
    restored: tuple[UseTaken, ...]


def targets(
    facts: OrderFacts, earned: Sequence[Earned], portion: Portion, broken: BrokenMinimum
) -> Targets:
    """What is to be given back and taken back once ``portion`` of the order came back."""
    lines, parts = facts.all_lines, portion.all_lines

    def back(of: Callable[[FactsLine], int]) -> Fraction:
        return sum((of(line) * part for line, part in zip(lines, parts, strict=True)), ZERO)

    kept = sum(
        (
            line.gross_minor * (1 - part)
            for line, part in zip(facts.lines, portion.lines, strict=True)
        ),
        ZERO,
    )
    rewards = [_reward(facts, portion, reward, kept, broken) for reward in facts.rewards]
    off = sum((lost.off for lost in rewards), ZERO)
    money, off_money = _less(back(lambda line: line.money_minor), off)
    credit, off_credit = _less(back(lambda line: line.credit_minor), off - off_money)
    gift, off_gift = _less(back(lambda line: line.gift_minor), off - off_money - off_credit)
    points: dict[str, Fraction] = {}
    if facts.tender is not None:
        part = _share(facts, portion, lambda line: line.points_minor)
        points[facts.tender.point_type] = facts.tender.points * part
    for reward, lost in zip(facts.rewards, rewards, strict=True):
        if reward.price is not None:
            unit = reward.price.point_type
            points[unit] = points.get(unit, ZERO) + reward.price.points * lost.part
    gone = [r for r, lost in zip(facts.rewards, rewards, strict=True) if lost.part == 1]
    return Targets(
        value_minor=int(back(lambda line: line.net_minor)),
        by_line=tuple(int(line.net_minor * part) for line, part in zip(lines, parts, strict=True)),
        money_minor=int(money),
        credit_minor=int(credit),
        gift_minor=int(gift),
        points_minor=int(back(lambda line: line.points_minor)),
        tax_minor=int(back(lambda line: line.tax_minor)),
        off_minor=int(off_money + off_credit + off_gift),
        returned={unit: int(amount) for unit, amount in points.items()},
        reversed=tuple(_reversed(item, portion) for item in earned),
        ended=tuple(reward.code for reward in gone),
        restored=tuple(use for reward in gone for use in reward.uses),
    )


class _Lost(NamedTuple):
    """What became of a reward: the part of it that came back, and what it costs the refund."""

    part: Fraction
    off: Fraction


def _reward(
    facts: OrderFacts, portion: Portion, reward: RewardTaken, kept: Fraction, broken: BrokenMinimum
) -> _Lost:
    """A reward comes back with the discounts refunded, and with what a broken minimum takes."""

    def discount(line: FactsLine) -> int:
        return line.part(reward.code)

    part = _share(facts, portion, discount)
    whole = sum(discount(line) for line in facts.all_lines)
    minimum = reward.minimum_minor
    bought = sum(line.gross_minor for line in facts.lines)
    if broken is BrokenMinimum.KEEP or not kept < minimum <= bought:
        return _Lost(part, ZERO)
    left = (
        (1 - part)
        if broken is BrokenMinimum.REVERSE
        else (1 - part) * (1 - kept * Fraction(1, minimum))
    )
    return _Lost(part + left, whole * left)


def _share(facts: OrderFacts, portion: Portion, weight: Callable[[FactsLine], int]) -> Fraction:
    """The part that came back of something spread over the lines by ``weight``.

    Where it weighs nothing (points that paid for nothing), by nets, gross prices, or lines.
    """
    lines, parts = facts.all_lines, portion.all_lines
    choices: tuple[Callable[[FactsLine], int], ...] = (
        weight,
        lambda line: line.net_minor,
        lambda line: line.gross_minor,
        lambda line: 1,
    )
    for of in choices:
        weights = [of(line) for line in lines]
        whole = sum(weights)
        if whole:
            back = sum((w * part for w, part in zip(weights, parts, strict=True)), ZERO)
            return back * Fraction(1, whole)
    raise AssertionError("a line weighs 1 at last")


def _less(amount: Fraction, off: Fraction) -> tuple[Fraction, Fraction]:
    """``amount`` less ``off``, never below zero; and what of ``off`` it bore."""
    borne = min(amount, off)
    return amount - borne, borne


def _reversed(item: Earned, portion: Portion) -> int:
    by_shipping = item.points - sum(item.by_line)
    by_line = zip(item.by_line, portion.lines, strict=True)
    total = sum((points * part for points, part in by_line), ZERO)
    return int(total + by_shipping * portion.shipping)
