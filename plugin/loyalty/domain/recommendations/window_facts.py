"""What one piece of a product means to a member: price after rewards, points, tier.

All figures are those of a quote of a cart with nothing else in it, as a shopper gets it, so a
page never promises what the checkout does not keep, and none of them tells the cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.domain.books.lots import Expiring
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote_brief import Brief, Briefing, within_reach
from loyalty.domain.quotes.quote_holdings import NO_HOLDINGS, Holdings
from loyalty.domain.quotes.quote_terms import ALL_POINTS, NO_POINTS, Choice, MemberFacts
from loyalty.domain.rates import tender_value_minor
from loyalty.domain.rulesets.ruleset import Reward, Ruleset, Tier
from loyalty.domain.tiers import TierStatus

CART = "window"
"""Id of the carts that are quoted; it is in no answer."""


@dataclass(frozen=True, slots=True)
class Shopper:
    """Whom a page is made for. ``expiring``: points that expire soon, by point type, each date
    apart, the soonest first.
    """

    facts: MemberFacts
    tier: TierStatus
    expiring: Mapping[str, Sequence[Expiring]] = field(default_factory=dict)
    holdings: Holdings = NO_HOLDINGS


@dataclass(frozen=True, slots=True)
class Covered:
    """Points that pay for all of it. All of them expire by ``expires_at``."""

    point_type: str
    points: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """Figures of one product. ``price_minor`` is after ``rewards``; ``points_earned`` are of the
    program's first spendable point type. ``lifts_to``: the tier that buying it leads up to.
    """

    price_minor: int
    rewards: tuple[Reward, ...] = ()
    points_earned: int = 0
    lifts_to: Tier | None = None
    covered: Covered | None = None


class WindowFactsOf:
    """Figures for one viewer at one moment.

    Args:
        shopper: None for a guest, who gets the price alone.
    """

    def __init__(self, ruleset: Ruleset, shopper: Shopper | None, at: datetime) -> None:
        self._shopper, self._at = shopper, at
        self._ruleset = ruleset
        if shopper is not None:
            self._ruleset = within_reach(ruleset, shopper.facts, at, shopper.holdings)

    def product(self, line: CartLine) -> WindowFacts:
        """Of a line of one piece, with what it costs the shop.

        Raises:
            BadInput: the price or the cost is none that a cart could have.
        """
        shopper = self._shopper
        if shopper is None or not shopper.facts.is_active:
            return WindowFacts(line.unit_minor)
        cart = Cart(CART, self._ruleset.currency, (line,))
        facts, holdings = shopper.facts, shopper.holdings
        briefing = Briefing(self._ruleset, facts, cart, Choice(), self._at, holdings)
        found = briefing.paid_with(NO_POINTS)
        spendable = self._ruleset.spendable.code
        return WindowFacts(
            found.total_minor,
            found.applied,
            _earned(found, spendable),
            self._lifts_to(shopper, found),
            self._covered(shopper, briefing, found),
        )

    def _lifts_to(self, shopper: Shopper, found: Brief) -> Tier | None:
        policy = self._ruleset.tier_policy
        reached = policy.reached(shopper.tier.qualifying + _earned(found, policy.point_type))
        ranks = policy.ranks
        if shopper.tier.current.code not in ranks:
            return None
        is_up = ranks.index(reached.code) > ranks.index(shopper.tier.current.code)
        return reached if is_up else None

    def _covered(self, shopper: Shopper, briefing: Briefing, without: Brief) -> Covered | None:
        """What pays for it wholly with the fewest points, where points that expire soon do.

        Args:
            without: what it comes to when no points pay.
        """
        if not any(shopper.expiring.values()):
            return None
        if not without.barred and self._worth_minor(shopper) < without.total_minor:
            # No choice leaves less to pay, and most products are out of reach of a few points.
            return None
        # Of all choices that leave nothing to pay, the most saved is the one of fewest points.
        found = briefing.paid_with(ALL_POINTS)
        if found.payable_minor or len(found.points_needed) != 1:
            return None
        ((kind, needed),) = found.points_needed.items()
        sum_of_points = 0
        for each in shopper.expiring.get(kind, ()):
            sum_of_points += each.points
            if sum_of_points >= needed:
                return Covered(kind, needed, each.at)
        return None

    def _worth_minor(self, shopper: Shopper) -> int:
        """What the points that expire soon pay at most."""
        tender = self._ruleset.tender
        if tender is None:
            return 0
        points = sum(each.points for each in shopper.expiring.get(tender.point_type, ()))
        return tender_value_minor(tender, points)


def _earned(found: Brief, point_type: str) -> int:
    return sum(each.points for each in found.earnings if each.point_type == point_type)
