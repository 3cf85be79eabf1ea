"""What a cart would come to for a shopper, without the reasons.

A page of recommendations asks it of every product. The reasons, the nearest changes and the hash
are most of a quote's work, and nobody reads them there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from loyalty.domain.cart import Cart
from loyalty.domain.conditions import Facts, TierAtLeast
from loyalty.domain.earning import Earning
from loyalty.domain.quotes.quote import quote_earnings, quote_lines
from loyalty.domain.quotes.quote_candidates import Examination, Examined
from loyalty.domain.quotes.quote_choice import Selection, chosen
from loyalty.domain.quotes.quote_holdings import Holdings
from loyalty.domain.quotes.quote_input import validated
from loyalty.domain.quotes.quote_money import MoneyTender
from loyalty.domain.quotes.quote_points import points_candidate
from loyalty.domain.quotes.quote_tender import NO_PAYMENT, points_shares
from loyalty.domain.quotes.quote_terms import TENDER, Choice, MemberFacts, PointsMode, PointsWanted
from loyalty.domain.rulesets.ruleset import Reward, Ruleset

_NO_MONEY = MoneyTender((), 0, ())


@dataclass(frozen=True, slots=True)
class Brief:
    """What a quote would say. Amounts in minor units of the cart's currency.

    ``applied``: the rewards and benefits taken, in the order in which they apply.
    ``points_needed`` by point type, for them and for what points pay. ``barred``: codes that were
    left out because the cost would shape what they do.
    """

    total_minor: int
    payable_minor: int
    applied: tuple[Reward, ...]
    points_needed: dict[str, int]
    earnings: tuple[Earning, ...]
    barred: frozenset[str]


class Briefing:
    """A cart, looked at once for several ways of paying.

    It says what ``shopper_quote.quote_for_shopper`` says of a cart that no credit and no gift card
    pays. Like there, whatever the cost would shape is left out, so that no figure tells it.

    Raises:
        BadInput: the cart is not one.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        member: MemberFacts | None,
        cart: Cart,
        choice: Choice,
        at: datetime,
        holdings: Holdings,
    ) -> None:
        validated(cart, ruleset)
        at = at.astimezone(UTC)
        self._examination = Examination(ruleset, member, cart, at, choice, holdings)
        self._items = self._examination.rewards_that_may_apply()

    def paid_with(self, points: PointsWanted) -> Brief:
        """What it comes to by the choice, when so many points pay."""
        examination, items = self._examination, self._items
        # Which rewards there are, and by which coupons, does not depend on how the rest is paid.
        examination.choice = replace(examination.choice, points=points)
        barred: frozenset[str] = frozenset()
        if points.mode is PointsMode.NONE and all(item.unmet for item in items):
            # Nothing to choose among, which is how it is with most products.
            basket = examination.basket
            nothing = Selection((), NO_PAYMENT, 0, basket.gross, basket.guard.room, 0, proven=True)
            return _brief(examination, items, nothing, barred)
        while True:
            selection = _selected(examination, items, barred)
            shaped = frozenset(_shaped(examination, items, selection)) - barred
            if not shaped:
                return _brief(examination, items, selection, barred)
            barred |= shaped


def _selected(
    examination: Examination, items: Sequence[Examined], barred: frozenset[str]
) -> Selection:
    basket = examination.basket
    return chosen(
        replace(basket, tender=None) if TENDER in barred else basket,
        [
            item.entrant
            for item in items
            if not item.unmet and examination.is_wanted(item) and item.reward.code not in barred
        ],
        examination.choice,
    )


def _shaped(
    examination: Examination, items: Sequence[Examined], selection: Selection
) -> Iterator[str]:
    """Codes of what the cost had a say in."""
    yield from (item.reward.code for item in items if item.shaped_by_cost)
    yield from (taken.entrant.reward.code for taken in selection.taken if taken.shaped)
    tender, choice = examination.ruleset.tender, examination.choice
    if tender is None or choice.points.mode is PointsMode.NONE:
        return
    payment = selection.payment.minor
    _, shaped = points_shares(examination.basket, selection.left, selection.room, payment)
    if points_candidate(examination, tender, selection, shaped=shaped).is_cost_shaped:
        yield TENDER


def _brief(
    examination: Examination,
    items: Sequence[Examined],
    selection: Selection,
    barred: frozenset[str],
) -> Brief:
    ruleset, basket = examination.ruleset, examination.basket
    payment = selection.payment
    points, _ = points_shares(basket, selection.left, selection.room, payment.minor)
    lines, shipping = quote_lines(examination, selection, points, _NO_MONEY)
    total = basket.total(selection.left)
    applied = tuple(taken.entrant.reward for taken in selection.taken)
    needed: dict[str, int] = {}
    prices = [(reward.point_type, reward.points) for reward in applied]
    if ruleset.tender is not None:
        prices.append((ruleset.tender.point_type, payment.points))
    for kind, price in prices:
        if kind is not None and price:
            needed[kind] = needed.get(kind, 0) + price
    return Brief(
        total,
        total - payment.minor,
        applied,
        needed,
        quote_earnings(examination, items, selection, lines, shipping),
        barred,
    )


def within_reach(
    ruleset: Ruleset, member: MemberFacts | None, at: datetime, holdings: Holdings
) -> Ruleset:
    """The ruleset without the rewards that this member gets with no cart whatever.

    It says the same of any cart as the whole one, in less time where many carts are asked about:
    most rewards of a program want a coupon, a tier or points that a member does not have.
    """
    empty = Cart("", ruleset.currency, ())
    examination = Examination(ruleset, member, empty, at.astimezone(UTC), Choice(), holdings)
    usable = {coupon.reward for coupon in holdings.coupons if not examination.coupon_unmet(coupon)}
    available = {} if member is None else member.available

    def is_open(reward: Reward) -> bool:
        if reward.needs_offer:
            # Offers have their own terms, and there are few of them.
            return True
        if reward.needs_coupon and reward.code not in usable:
            return False
        if reward.points > available.get(reward.point_type or "", 0):
            return False
        return _has_tier(reward, examination.facts)

    rewards = () if examination.member_unmet() else tuple(filter(is_open, ruleset.rewards))
    return replace(ruleset, rewards=rewards)


def _has_tier(reward: Reward, facts: Facts) -> bool:
    return all(
        condition.unmet(facts) is None
        for condition in reward.conditions
        if isinstance(condition, TierAtLeast)
    )
