"""Which rewards can apply to a cart at all, and what stands in the way of the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.domain.calendar import after_days, local
from loyalty.domain.cart import Cart
from loyalty.domain.conditions import Facts
from loyalty.domain.quotes.quote_basket import (
    Basket,
    Entrant,
    Taken,
    basket_lines,
    entrant,
    offered,
    take,
)
from loyalty.domain.quotes.quote_holdings import CouponFacts, Holdings, OfferFacts, QuotaFacts
from loyalty.domain.quotes.quote_margin import guard
from loyalty.domain.quotes.quote_offers import budget_of, offer_unmet, personal_rewards
from loyalty.domain.quotes.quote_tax import tax_table
from loyalty.domain.quotes.quote_terms import Choice, MemberFacts, Objective
from loyalty.domain.reasons import Gap, Reason, Unmet
from loyalty.domain.rulesets.ruleset import Reward, Ruleset

_MISSING = QuotaFacts(missing=True)


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward, or a tier's benefit or a member's own offer in the form of one.

    ``tier``: whose benefit it is; ``is_above``: that tier is above the member's. ``personal``:
    the member's offer.
    """

    reward: Reward
    tier: str | None = None
    is_above: bool = False
    personal: OfferFacts | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A reward by itself, with the coupon that opens it if there is one.

    Without ``unmet`` it applies when alone, as ``alone``; ``would_minor`` is what it takes
    off, or would take off if nothing stood in the way. ``spares``: further coupons for it.
    ``shaped_by_cost``: the margin had a say in what it takes off when alone.
    """

    offer: Offer
    entrant: Entrant
    unmet: tuple[Unmet, ...]
    alone: Taken | None
    would_minor: int
    shaped_by_cost: bool
    spares: tuple[CouponFacts, ...] = ()

    @property
    def reward(self) -> Reward:
        return self.offer.reward

    @property
    def coupon(self) -> CouponFacts | None:
        return self.entrant.coupon


class Examination:
    """Looks at rewards for one member, cart and moment."""

    def __init__(
        self,
        ruleset: Ruleset,
        member: MemberFacts | None,
        cart: Cart,
        at: datetime,
        choice: Choice,
        holdings: Holdings,
    ) -> None:
        ranks = ruleset.tier_policy.ranks
        tier = member.tier if member is not None and member.tier in ranks else None
        usable = member is not None and member.is_active
        self.ruleset, self.member, self.at = ruleset, member, at
        self.choice, self.holdings = choice, holdings
        self.facts = Facts(cart, tier, ranks, at, local(at, ruleset.time_zone))
        self.soon = after_days(at, ruleset.expiring_soon_days, ruleset.time_zone)
        lines = basket_lines(cart)
        credit = ruleset.credit if ruleset.credit is not None and ruleset.credit.enabled else None
        self.basket = Basket(
            lines=lines,
            gross=tuple([line.gross_minor for line in lines]),
            guard=guard(ruleset.margin, ruleset.caps, cart),
            taxes=tax_table(cart),
            available=member.available if member is not None else {},
            expiring=member.expiring if member is not None else {},
            tender=ruleset.tender if usable else None,
            credit_minor=max(holdings.credit_minor, 0) if usable and credit is not None else 0,
            credit_share_bp=credit.share_bp_max if credit is not None else 0,
        )

    def rewards(self) -> list[Examined]:
        """All rewards and benefits in the order in which they apply."""
        return [found for offer in self._offers() for found in self._with_coupons(offer)]

    def rewards_that_may_apply(self) -> list[Examined]:
        """Of ``rewards`` those whose conditions are met and cover a line; the others are in no
        choice, and to examine one takes longer than to see that.
        """
        return [
            found
            for offer in self._offers()
            if not offer.is_above and self._may_apply(offer.reward)
            for found in self._with_coupons(offer)
        ]

    def _offers(self) -> list[Offer]:
        offers = [Offer(reward) for reward in self.ruleset.rewards if not reward.needs_offer]
        offers += self._benefits()
        offers += [
            Offer(reward, personal=facts)
            for reward, facts in personal_rewards(self.ruleset, self.holdings)
        ]
        offers.sort(key=lambda offer: (offer.reward.priority, offer.reward.code))
        return offers

    def _may_apply(self, reward: Reward) -> bool:
        conditions = reward.conditions
        if any(condition.unmet(self.facts) is not None for condition in conditions):
            return False
        lines = self.facts.cart.lines
        return any(all(each.covers(line) for each in conditions) for line in lines)

    def is_wanted(self, item: Examined) -> bool:
        """Whether the shopper's choice leaves it in."""
        names = item.entrant.names
        choice = self.choice
        if choice.objective is Objective.PINNED and not any(x in choice.pinned for x in names):
            return False
        return not self.is_excluded(item)

    def is_excluded(self, item: Examined) -> bool:
        return any(name in self.choice.excluded for name in item.entrant.names)

    def examined(self, offer: Offer, coupon: CouponFacts | None = None) -> Examined:
        """One reward: everything that stands in its way, or what it gives when alone."""
        reward, basket, personal = offer.reward, self.basket, offer.personal
        ends_at = None if coupon is None else coupon.ends_at
        if personal is not None:
            ends_at = personal.ends_at
        budget = None if personal is None else budget_of(self.holdings, personal).minor
        found = entrant(
            basket,
            reward,
            coupon,
            ends_soon=ends_at is not None and ends_at <= self.soon,
            budget_minor=budget,
        )
        unmet = [*self.member_unmet(), *self._offer_unmet(offer, coupon)]
        for condition in reward.conditions:
            missed = condition.unmet(self.facts)
            if missed is not None:
                unmet.append(missed)
        if not found.covered:
            unmet.append(Unmet(Reason.NO_MATCHING_LINES))
        missing = reward.points - basket.available.get(reward.point_type or "", 0)
        # Whoever is no member is told that, not that points are short.
        if reward.points and missing > 0 and self.member is not None:
            unmet.append(Unmet(Reason.INSUFFICIENT_POINTS, Gap(points=missing)))
        if not unmet:
            alone, _ = take(basket, found, basket.gross, basket.guard.room)
            if alone.given and (budget is None or alone.given <= budget):
                return Examined(offer, found, (), alone, alone.given, alone.shaped)
            unmet.append(Unmet(Reason.BUDGET_SPENT) if alone.given else _gives_nothing(alone))
            would = sum(offered(basket, found, basket.gross))
            return Examined(offer, found, tuple(unmet), None, would, alone.shaped)
        would = sum(offered(basket, found, basket.gross))
        return Examined(offer, found, tuple(unmet), None, would, False)

    def member_unmet(self) -> list[Unmet]:
        """What keeps this member from any reward and from paying with points."""
        if self.member is None:
            return [Unmet(Reason.NOT_A_MEMBER)]
        if not self.member.is_active:
            return [Unmet(Reason.MEMBER_NOT_ACTIVE)]
        return []

    def coupon_unmet(self, coupon: CouponFacts) -> list[Unmet]:
        """What keeps a coupon from being used."""
        found = []
        if coupon.is_revoked:
            found.append(Reason.COUPON_REVOKED)
        if coupon.starts_at is not None and self.at < coupon.starts_at:
            found.append(Reason.COUPON_NOT_STARTED)
        if coupon.ends_at is not None and coupon.ends_at <= self.at:
            found.append(Reason.COUPON_EXPIRED)
        if coupon.left_total is not None and coupon.left_total < 1:
            found.append(Reason.COUPON_USED_UP)
        if coupon.left_member is not None and coupon.left_member < 1:
            found.append(Reason.COUPON_USED_BY_MEMBER)
        return [Unmet(reason) for reason in found]

    def _offer_unmet(self, offer: Offer, coupon: CouponFacts | None) -> Iterator[Unmet]:
        reward = offer.reward
        if offer.is_above:
            yield Unmet(Reason.TIER_TOO_LOW, Gap(tier=offer.tier))
        if offer.personal is not None:
            budget = budget_of(self.holdings, offer.personal)
            yield from offer_unmet(self.ruleset, offer.personal, budget, self.at)
        if coupon is not None:
            yield from self.coupon_unmet(coupon)
        elif reward.needs_coupon:
            yield Unmet(Reason.NEEDS_COUPON)
        if not reward.is_counted:
            return
        quota = self.holdings.quotas.get(reward.code, _MISSING)
        left = 0 if quota.missing else quota.left_total
        if reward.stocked and left is not None and left < 1:
            yield Unmet(Reason.OUT_OF_STOCK)
        is_limited = quota.left_member is not None and not quota.missing
        if reward.uses_per_member_max is not None and is_limited and (quota.left_member or 0) < 1:
            yield Unmet(Reason.USED_UP_BY_MEMBER)

    def _with_coupons(self, offer: Offer) -> Iterator[Examined]:
        """The reward with the one coupon it is taken by, and apart those that cannot be used.

        Of several that can, the first pinned, then the one that ends first, then the one
        handed in first: for the same reward none of them saves more.
        """
        coupons = self._coupons(offer)
        usable = [
            coupon
            for coupon in coupons
            if not self.coupon_unmet(coupon) and coupon.code not in self.choice.excluded
        ]
        if usable:
            best = min(usable, key=self._preference)
            spares = tuple(coupon for coupon in usable if coupon is not best)
            first = self.examined(offer, best)
            yield Examined(
                offer, first.entrant, first.unmet, first.alone, first.would_minor,
                first.shaped_by_cost, spares,
            )  # fmt: skip
        elif not (coupons and offer.reward.needs_coupon):
            yield self.examined(offer)
        for coupon in coupons:
            if coupon not in usable:
                yield self.examined(offer, coupon)

    def _coupons(self, offer: Offer) -> Sequence[CouponFacts]:
        if offer.tier is not None or offer.personal is not None:
            return ()
        by_code = {
            coupon.code: coupon
            for coupon in self.holdings.coupons
            if coupon.reward == offer.reward.code
        }
        return list(by_code.values())

    def _preference(self, coupon: CouponFacts) -> tuple[int, bool, datetime]:
        pinned = self.choice.pinned
        rank = pinned.index(coupon.code) if coupon.code in pinned else len(pinned)
        return rank, coupon.ends_at is None, coupon.ends_at or self.at

    def _benefits(self) -> Iterator[Offer]:
        """What the tiers' benefits do at checkout: each once, as the member's own tier has it.

        One that only higher tiers have is the lowest of these tiers'; one that only lower tiers
        have is nobody's any more.
        """
        ranks = self.ruleset.tier_policy.ranks
        own = -1 if self.facts.tier is None else ranks.index(self.facts.tier)
        seen: set[str] = set()
        for rank in (own, *range(own + 1, len(ranks))):
            if rank < 0:
                continue
            tier = self.ruleset.tier_policy.tiers[rank]
            for benefit in tier.benefits:
                if benefit.does is None or benefit.code in seen:
                    continue
                seen.add(benefit.code)
                reward = Reward(
                    benefit.code,
                    benefit.name,
                    benefit.does,
                    conditions=benefit.conditions,
                    exclusive_group=benefit.exclusive_group,
                    priority=benefit.priority,
                )
                yield Offer(reward, tier.code, rank > own)


def _gives_nothing(alone: Taken) -> Unmet:
    if alone.cut:
        return Unmet(Reason.MARGIN_LIMIT, Gap(money_minor=alone.cut))
    if alone.capped:
        return Unmet(Reason.DISCOUNT_CAP, Gap(money_minor=alone.capped))
    return Unmet(Reason.NOTHING_LEFT_TO_DISCOUNT)
