"""How many points an order earns, and which line earned them.

The points of each line are kept with the order, so that a refund takes back what that line
earned by the rules of the day, and never runs today's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from loyalty.domain.calendar import after_days, end_after_months, local
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import Condition, Facts
from loyalty.domain.money import allocated
from loyalty.domain.points import POINTS_MAX
from loyalty.domain.rates import rounded
from loyalty.domain.rulesets.ruleset import DiscountBase, EarningRule, Ruleset
from loyalty.errors import BadInput

UNIT_BP = 10_000
"""Basis points in one whole."""

_SHIPPING_ID = ""


class EarningLine(NamedTuple):
    """A line and what of it counts after discounts, in minor units.

    0 <= ``net_minor`` <= what counts before them: ``before_minor``, the line's own price where
    it is None. A plain tuple because an import makes them by the million.
    """

    line: CartLine
    net_minor: int
    before_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Earning:
    """Points of one type earned by one order.

    ``by_line`` has the points of each line in the order given; what shipping earned is the
    rest of ``points``. ``expires_at`` None: never.
    """

    point_type: str
    points: int
    by_line: tuple[int, ...]
    available_at: datetime
    expires_at: datetime | None

    @property
    def by_shipping(self) -> int:
        return self.points - sum(self.by_line)


def earned(
    ruleset: Ruleset,
    tier: str | None,
    lines: Sequence[EarningLine],
    *,
    shipping_minor: int,
    points_used_minor: int,
    at: datetime,
    credit_used_minor: int = 0,
) -> tuple[Earning, ...]:
    """What an order earns, one ``Earning`` for each point type that gets more than nothing.

    Every rule is rounded once for the whole order, in its own direction, then capped, then
    spread over the lines cumulatively (law 9). Shipping, where the earning base includes it,
    is judged like a line without product, category, department and brand.

    Args:
        ruleset: the rules to judge by.
        tier: the member's; None or one the ruleset does not have multiplies by one.
        lines: with prices after discounts.
        shipping_minor: what is charged for shipping, >= 0.
        points_used_minor: what points paid, >= 0; taken off the lines in proportion to their
            net, and off shipping once the lines are paid for, where the base leaves it out.
        at: when the order was placed.
        credit_used_minor: the same of what credit and gift cards paid.

    Raises:
        BadInput: more points than an amount can hold, or dates past the year 9999.
    """
    rules = ruleset.earning_rules
    if not rules:
        return ()
    base = ruleset.earning_base
    used = 0 if base.includes_points_used else points_used_minor
    used += 0 if base.includes_credit_used else credit_used_minor
    judged = _Judged(ruleset, tier, lines, shipping_minor, used, at)
    sums: dict[str, list[int]] = {}
    for rule in rules:
        parts = judged.parts(rule)
        if parts is None:
            continue
        known = sums.get(rule.point_type)
        sums[rule.point_type] = (
            parts if known is None else [a + b for a, b in zip(known, parts, strict=True)]
        )
    earnings = []
    for kind in ruleset.point_types:
        found = sums.get(kind.code)
        if found is None:
            continue
        points = sum(found)
        if points > POINTS_MAX:
            raise BadInput(f"the order would earn {points} {kind.code}, wanted <= {POINTS_MAX}")
        months = kind.expires_after_months
        earnings.append(
            Earning(
                kind.code,
                points,
                tuple(found[: len(lines)]),
                after_days(at, kind.pending_days, ruleset.time_zone),
                None if months is None else end_after_months(at, months, ruleset.time_zone),
            )
        )
    return tuple(earnings)


def _before(item: EarningLine) -> int:
    """What of a line counts before discounts."""
    return item.line.gross_minor if item.before_minor is None else item.before_minor


class _Judged:
    """One order as the earning rules see it: its lines, shipping last, and their bases."""

    __slots__ = ("bases", "facts", "lines", "tier_bp")

    def __init__(
        self,
        ruleset: Ruleset,
        tier: str | None,
        lines: Sequence[EarningLine],
        shipping_minor: int,
        used: int,
        at: datetime,
    ) -> None:
        base = ruleset.earning_base
        nets = [item.net_minor for item in lines]
        own = [item.line for item in lines]
        is_after = base.discounts is DiscountBase.AFTER
        bases = nets if is_after else [_before(item) for item in lines]
        if used:
            total = sum(nets)
            shares = allocated(min(used, total), nets)
            bases = [whole - share for whole, share in zip(bases, shares, strict=True)]
            used -= min(used, total)
        ranks = ruleset.tier_policy.ranks
        known = tier if tier in ranks else None
        cart = Cart("", ruleset.currency, tuple(own), shipping_minor)
        self.facts = Facts(cart, known, ranks, at, local(at, ruleset.time_zone))
        self.tier_bp = UNIT_BP if known is None else ruleset.tier_policy.named(known).multiplier_bp
        self.lines: list[CartLine] = own
        self.bases: list[int] = bases
        if base.includes_shipping and shipping_minor > used:
            self.lines = [*own, CartLine(_SHIPPING_ID, "", 1, shipping_minor)]
            self.bases = [*bases, shipping_minor - used]

    def parts(self, rule: EarningRule) -> list[int] | None:
        """Points of each line for one rule; None when it gives none."""
        weights = self._covered(rule)
        if weights is None:
            return None
        denominator = rule.per_minor
        if rule.uses_tier_multiplier:
            denominator *= UNIT_BP
        for multiplier in rule.multipliers:
            if not self._all_met(multiplier.conditions):
                continue
            covered = list(map(_covering(multiplier.conditions), self.lines))
            if any(covered):
                denominator *= UNIT_BP
                rate_bp = multiplier.rate_bp
                weights = [
                    weight * (rate_bp if is_covered else UNIT_BP)
                    for weight, is_covered in zip(weights, covered, strict=True)
                ]
        whole = sum(weights)
        numerator = whole * rule.points * (self.tier_bp if rule.uses_tier_multiplier else 1)
        points = rounded(numerator, denominator, rule.rounding)
        if rule.points_max_per_order is not None:
            points = min(points, rule.points_max_per_order)
        return allocated(points, weights) if points > 0 else None

    def _covered(self, rule: EarningRule) -> list[int] | None:
        """The bases of the lines the rule covers, 0 for the others."""
        conditions = rule.conditions
        if not conditions:
            return self.bases
        if not self._all_met(conditions):
            return None
        covers = _covering(conditions)
        return [
            base if covers(line) else 0 for base, line in zip(self.bases, self.lines, strict=True)
        ]

    def _all_met(self, conditions: Sequence[Condition]) -> bool:
        return all(condition.unmet(self.facts) is None for condition in conditions)


def _covering(conditions: Sequence[Condition]) -> Callable[[CartLine], bool]:
    """Whether a line is covered by all conditions; asked for every line of every order."""
    if len(conditions) == 1:
        return conditions[0].covers
    return lambda line: all(condition.covers(line) for condition in conditions)
