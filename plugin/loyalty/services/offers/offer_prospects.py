"""Every offer that a member could get and that is worth its cost, from one pass over members.

Of a member nothing stays but its candidates. Who never bought a target is weighed at the end, by
the average purchase of those who did.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from loyalty.domain.cart import CartLine
from loyalty.domain.offers.offer_plan import Goods, Planned, Prospect, goods_of, weighed
from loyalty.domain.offers.offer_states import OfferReason, WhyOffered
from loyalty.domain.offers.offers import OfferAim, OfferTarget, PoolOffer
from loyalty.domain.offers.propensity import NEVER, TargetHistory
from loyalty.domain.quotes.quote_offers import offer_reward
from loyalty.domain.rewards import OpenLine
from loyalty.domain.rulesets.ruleset import Reward, Ruleset
from loyalty.services.offers.offer_histories import MemberPast, Shelf, Totals
from loyalty.services.offers.propensity import Propensity, first_time_ppm, prior_ppm

GONE_DAYS = 56
"""Whoever has not bought a target for so many days is taken to have stopped."""
WON_BACK_TIMES = 2
"""Bought on fewer days, there was no habit to win back."""
OFTEN = 6
"""Bought on so many days of the look-back, and lately, it counts as bought often."""
_EPOCH = date(1970, 1, 1)
_UNIT_BP = 10_000


@dataclass(frozen=True, slots=True)
class Aimed:
    """An offer of the pool at one of its targets."""

    offer: PoolOffer
    target: OfferTarget
    goods: Goods
    reward: Reward

    @property
    def question(self) -> tuple[Goods, int]:
        """What ``propensity`` is asked."""
        return self.goods, self.offer.valid_days


def aimed(ruleset: Ruleset) -> list[Aimed]:
    """Every offer at every target, in the sequence of the pool."""
    found = []
    for offer in ruleset.offers:
        for target in offer.targets:
            reward = offer_reward(ruleset, offer.code, target.code)
            assert reward is not None
            found.append(Aimed(offer, target, goods_of(target), reward))
    return found


@dataclass(slots=True)
class _NeverBought:
    """Members who never bought a target, with their chances in millionths; -1 where the prior is
    to answer."""

    members: "array[int]" = field(default_factory=lambda: array("q"))
    chances_ppm: "array[int]" = field(default_factory=lambda: array("q"))


class Prospects:
    """Takes one member after the other.

    Args:
        offers: in the sequence in which ``propensity`` answers.
        today: in days since 1970, in the program's time.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        offers: Sequence[Aimed],
        shelf: Shelf,
        propensity: Propensity,
        today: int,
    ) -> None:
        self._ruleset = ruleset
        self._offers = offers
        self._named = shelf.named
        self._propensity = propensity
        self._today = today
        self._point_minor = (0, 1)
        tender = ruleset.tender
        if tender is not None and tender.point_type == ruleset.spendable.code:
            self._point_minor = tender.minor, tender.points
        self._members = 0
        self._everybody: dict[Goods, Totals] = {each.goods: Totals() for each in offers}
        self._buyers_lately = dict.fromkeys(self._everybody, 0)
        self._never = [_NeverBought() for _ in offers]

    def of(self, past: MemberPast) -> Iterator[Planned]:
        """Offers for what the member has bought."""
        self._members += 1
        histories = {goods: bought.history(self._today) for goods, bought in past.bought.items()}
        for goods, history in histories.items():
            self._everybody[goods].add(past.bought[goods].totals())
            self._buyers_lately[goods] += history.lately > 0
        chances = self._propensity.chances_ppm(past)
        for each, never, chance in zip(self._offers, self._never, chances, strict=True):
            history = histories.get(each.goods, NEVER)
            if each.offer.objective is OfferAim.TRY_NEW:
                if not history.times:
                    never.members.append(past.member_id)
                    never.chances_ppm.append(-1 if chance is None else chance)
            elif history.times and _is_meant(each.offer.objective, history):
                if chance is None:
                    chance = prior_ppm(history, each.offer.valid_days)
                totals = past.bought[each.goods].totals()
                yield from self._weighed(each, past.member_id, chance, totals, history)

    def of_new(self) -> Iterator[Planned]:
        """Offers for what members never bought, once all have been taken."""
        for each, never in zip(self._offers, self._never, strict=True):
            totals = self._everybody[each.goods]
            if not totals.times:
                continue
            buyers_bp = self._buyers_lately[each.goods] * _UNIT_BP // self._members
            prior = first_time_ppm(buyers_bp, each.offer.valid_days)
            for member_id, chance in zip(never.members, never.chances_ppm, strict=True):
                yield from self._weighed(
                    each, member_id, prior if chance < 0 else chance, totals, NEVER
                )

    def _weighed(
        self, each: Aimed, member_id: int, chance: int, totals: Totals, history: TargetHistory
    ) -> Iterator[Planned]:
        spend, margin, discount = self._of_a_visit(each, totals)
        prospect = Prospect(
            member_id, each.offer.code, each.target.code, chance, discount, margin,
            _why(history, self._today),
        )  # fmt: skip
        planned = weighed(prospect, each.offer, self._ruleset.offer_policy, self._point_minor)
        if planned is not None and spend:
            yield planned

    def _of_a_visit(self, each: Aimed, totals: Totals) -> tuple[int, int, int]:
        """What an average visit spends on the target, its margin, and what the reward takes off;
        all rounded down, and the discount never more than is spent.
        """
        spend = totals.spend_minor // totals.times
        margin = totals.margin_minor // totals.times
        quantity = max(totals.quantity // totals.times, 1)
        does = each.reward.does
        products = getattr(does, "products", None)
        product = products[0] if products else self._named.get(each.goods, "")
        line = CartLine("", product, quantity, spend // quantity, amount_minor=spend)
        if getattr(does, "on_shipping", False):
            # What shipping costs is not known; what it is capped at is the most.
            return spend, margin, does.value_minor or 0
        return spend, margin, min(sum(does.offer([OpenLine(line, spend)])), spend)


def _is_meant(aim: OfferAim, history: TargetHistory) -> bool:
    """Whether an offer is for a member that bought the target."""
    if aim is not OfferAim.WIN_BACK:
        return True
    return history.times >= WON_BACK_TIMES and history.since_days >= GONE_DAYS


def _why(history: TargetHistory, today: int) -> OfferReason:
    if not history.times:
        return OfferReason(WhyOffered.NEW_FOR_YOU)
    last = _EPOCH + timedelta(days=today - history.since_days)
    if history.since_days >= GONE_DAYS:
        return OfferReason(WhyOffered.NOT_LATELY, history.times, last)
    often = history.times >= OFTEN and history.lately
    code = WhyOffered.BOUGHT_OFTEN if often else WhyOffered.BOUGHT_BEFORE
    return OfferReason(code, history.times, last)
