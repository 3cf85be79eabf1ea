"""Which rewards can apply to a cart at all, and what stands in the way of the others."""

from dataclasses import dataclass, replace
from datetime import datetime

from loyalty.domain.calendar import local
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import (
    BrandIs,
    CategoryIs,
    DepartmentIs,
    Facts,
    ProductIs,
)
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.quote_basket import Basket, Entrant, Taken, entrant, offered, take
from loyalty.domain.quote_margin import guard
from loyalty.domain.quote_terms import MemberFacts
from loyalty.domain.reasons import Gap, NearestChange, Reason, Unmet
from loyalty.domain.ruleset import Reward, Ruleset

_UNIT_BP = 10_000


@dataclass(frozen=True, slots=True)
class Examined:
    """A reward by itself.

    Without ``unmet`` it applies when alone, as ``alone``; ``would_minor`` is what it takes
    off, or would take off if nothing stood in the way.
    """

    reward: Reward
    entrant: Entrant
    unmet: tuple[Unmet, ...]
    alone: Taken | None
    would_minor: int


class Examination:
    """Looks at rewards for one member, cart and moment."""

    def __init__(
        self, ruleset: Ruleset, member: MemberFacts | None, cart: Cart, at: datetime
    ) -> None:
        ranks = ruleset.tier_policy.ranks
        tier = member.tier if member is not None and member.tier in ranks else None
        usable = member is not None and member.is_active
        self.ruleset, self.member, self.at = ruleset, member, at
        self.facts = Facts(cart, tier, ranks, at, local(at, ruleset.time_zone))
        self.gross = [line.gross_minor for line in cart.lines]
        self.basket = Basket(
            cart.lines,
            cart.shipping_minor,
            guard(ruleset.margin, cart.lines),
            member.available if member is not None else {},
            ruleset.tender if usable else None,
        )

    def rewards(self) -> list[Examined]:
        """All rewards of the ruleset in the order in which they apply."""
        ordered = sorted(self.ruleset.rewards, key=lambda item: (item.priority, item.code))
        return [self.examined(reward) for reward in ordered]

    def examined(self, reward: Reward) -> Examined:
        """One reward: everything that stands in its way, or what it gives when alone."""
        found = entrant(self.basket, reward)
        unmet = self.member_unmet()
        for condition in reward.conditions:
            missed = condition.unmet(self.facts)
            if missed is not None:
                unmet.append(missed)
        if not found.covered:
            unmet.append(Unmet(Reason.NO_MATCHING_LINES))
        missing = reward.points - self.basket.available.get(reward.point_type or "", 0)
        # Whoever is no member is told that, not that points are short.
        if reward.points and missing > 0 and self.member is not None:
            unmet.append(Unmet(Reason.INSUFFICIENT_POINTS, Gap(points=missing)))
        if not unmet:
            alone, _ = take(self.basket, found, self.gross, self.basket.guard.room)
            if alone.given:
                return Examined(reward, found, (), alone, alone.given)
            unmet.append(
                Unmet(Reason.MARGIN_LIMIT, Gap(money_minor=alone.cut))
                if alone.cut
                else Unmet(Reason.NOTHING_LEFT_TO_DISCOUNT)
            )
        would = sum(offered(self.basket, found, self.gross))
        return Examined(reward, found, tuple(unmet), None, would)

    def member_unmet(self) -> list[Unmet]:
        """What keeps this member from any reward and from paying with points."""
        if self.member is None:
            return [Unmet(Reason.NOT_A_MEMBER)]
        if not self.member.is_active:
            return [Unmet(Reason.MEMBER_NOT_ACTIVE)]
        return []

    def nearest(self, examined: Examined) -> NearestChange | None:
        """The change after which a rejected reward applies when pinned; None if none is known.

        What it proposes has been tried: a reward that would still be rejected for another
        reason, such as points that are short, gets no proposal.
        """
        reasons = {found.reason for found in examined.unmet}
        lasting = {Reason.NOT_A_MEMBER, Reason.MEMBER_NOT_ACTIVE, Reason.INSUFFICIENT_POINTS}
        if reasons & lasting or Reason.MARGIN_LIMIT in reasons:
            return None
        lines_missing = {Reason.NO_MATCHING_LINES, Reason.NOTHING_LEFT_TO_DISCOUNT}
        money = 0
        for found in examined.unmet:
            if found.reason in lines_missing:
                continue
            change = found.nearest
            if change is None:
                return None
            if change.kind != "ADD_TO_CART" or change.money_minor is None:
                # A change that only the condition's own kind understands cannot be tried.
                return change if len(examined.unmet) == 1 else None
            money = max(money, change.money_minor)
        reward = examined.reward
        if money:
            plain = CartLine("", "", 1, money)
            if self._would_apply(reward, plain):
                return NearestChange("ADD_TO_CART", money_minor=money)
        matching = _matching(reward, max(money, _least(reward)))
        if matching is not None and self._would_apply(reward, matching):
            return NearestChange("ADD_MATCHING", money_minor=matching.unit_minor)
        return None

    def _would_apply(self, reward: Reward, added: CartLine) -> bool:
        cart = self.facts.cart
        if cart.gross_minor + added.unit_minor > AMOUNT_MINOR_MAX:
            return False
        changed = replace(cart, lines=(*cart.lines, added))
        return not Examination(self.ruleset, self.member, changed, self.at).examined(reward).unmet


def _least(reward: Reward) -> int:
    """The least price of which the reward takes off at least one minor unit."""
    rate_bp = reward.does.percent_bp
    return -(-_UNIT_BP // rate_bp) if rate_bp else 1


def _matching(reward: Reward, minor: int) -> CartLine | None:
    """A line of that price that the reward covers; None where its conditions do not tell one."""
    # These kinds are named like the field of the line they look at.
    named = {
        condition.kind: condition.any_of[0]
        for condition in reward.conditions
        if isinstance(condition, ProductIs | CategoryIs | DepartmentIs | BrandIs)
    }
    line = CartLine(
        "",
        named.get("product", ""),
        1,
        minor,
        category=named.get("category"),
        department=named.get("department"),
        brand=named.get("brand"),
    )
    return line if all(item.covers(line) for item in reward.conditions) else None
