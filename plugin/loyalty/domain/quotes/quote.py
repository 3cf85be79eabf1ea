"""What a cart would get, and why: a pure function that moves nothing.

Same input, same ruleset and same state give the same quote and the same hash (law 11).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from loyalty.domain.cart import Cart
from loyalty.domain.earning import Earning, EarningLine, earned
from loyalty.domain.quotes.quote_answer import code_candidates, pinned_in_vain, reward_candidates
from loyalty.domain.quotes.quote_basket import Taken
from loyalty.domain.quotes.quote_candidates import Examination, Examined
from loyalty.domain.quotes.quote_choice import Selection, chosen
from loyalty.domain.quotes.quote_codec import quote_hash
from loyalty.domain.quotes.quote_holdings import (
    NO_HOLDINGS,
    BudgetFacts,
    CouponFacts,
    GiftCardFacts,
    Holdings,
    OfferFacts,
    QuotaFacts,
)
from loyalty.domain.quotes.quote_input import validated, validated_choice
from loyalty.domain.quotes.quote_margin import report
from loyalty.domain.quotes.quote_money import MoneyTender, money_tender
from loyalty.domain.quotes.quote_offers import gone_offers, offer_uses, with_bonus
from loyalty.domain.quotes.quote_points import points_candidate
from loyalty.domain.quotes.quote_tax import tax_table
from loyalty.domain.quotes.quote_tender import points_shares, shares
from loyalty.domain.quotes.quote_terms import (
    ALL_CREDIT,
    ALL_POINTS,
    CREDIT,
    NO_CREDIT,
    NO_POINTS,
    TENDER,
    Candidate,
    Choice,
    CreditUsed,
    CreditWanted,
    GiftUsed,
    MarginReport,
    MemberFacts,
    Objective,
    Outcome,
    Part,
    PointsMode,
    PointsWanted,
    QuotaKind,
    QuotaUse,
    Quote,
    QuoteLine,
    TenderUsed,
    exact_credit,
    exactly,
)
from loyalty.domain.reasons import Reason
from loyalty.domain.rulesets.ruleset import Ruleset, TaxBase

__all__ = [
    "ALL_CREDIT",
    "ALL_POINTS",
    "CREDIT",
    "NO_CREDIT",
    "NO_HOLDINGS",
    "NO_POINTS",
    "TENDER",
    "BudgetFacts",
    "Candidate",
    "Choice",
    "CouponFacts",
    "CreditUsed",
    "CreditWanted",
    "GiftCardFacts",
    "GiftUsed",
    "Holdings",
    "MarginReport",
    "MemberFacts",
    "Objective",
    "OfferFacts",
    "Outcome",
    "Part",
    "PointsMode",
    "PointsWanted",
    "QuotaFacts",
    "QuotaKind",
    "QuotaUse",
    "Quote",
    "QuoteLine",
    "TenderUsed",
    "exact_credit",
    "exactly",
    "quote",
    "validated",
]


def quote(
    ruleset: Ruleset,
    member: MemberFacts | None,
    cart: Cart,
    choice: Choice,
    at: datetime,
    holdings: Holdings = NO_HOLDINGS,
    *,
    barred: frozenset[str] = frozenset(),
) -> Quote:
    """What the cart gets by the best choice, with a reason for every candidate.

    Args:
        ruleset: the version in force.
        member: None for a guest, who gets nothing but may pay with gift cards.
        cart: as the shop describes it.
        choice: what the shopper decided.
        at: the moment asked about; the quote stands from then for the ruleset's time.
        holdings: coupons, gift cards and credit, and what is left of what members share.
        barred: codes of rewards, or ``TENDER``, that are left out whatever the choice; they are
            answered for like what another choice is better than.

    Raises:
        BadInput: the cart or the choice is not one; says where and what was wanted.
    """
    validated(cart, ruleset)
    choice = validated_choice(choice)
    at = at.astimezone(UTC)
    examination = Examination(ruleset, member, cart, at, choice, holdings)
    items = examination.rewards()
    basket = examination.basket
    selection = chosen(
        replace(basket, tender=None) if TENDER in barred else basket,
        [
            item.entrant
            for item in items
            if not item.unmet and examination.is_wanted(item) and item.reward.code not in barred
        ],
        choice,
    )
    unsigned = _unsigned(examination, items, selection)
    return replace(unsigned, hash=quote_hash(unsigned))


def _unsigned(examination: Examination, items: Sequence[Examined], selection: Selection) -> Quote:
    """The answer that a selection makes, without its hash."""
    ruleset, member, basket = examination.ruleset, examination.member, examination.basket
    cart, at = examination.facts.cart, examination.at
    points, shaped = points_shares(basket, selection.left, selection.room, selection.payment.minor)
    money = money_tender(examination, selection)
    lines, shipping = quote_lines(examination, selection, points, money)
    tender, payment = ruleset.tender, selection.payment
    candidates = reward_candidates(examination, items, selection)
    candidates += code_candidates(examination)
    candidates += gone_offers(ruleset, examination.holdings)
    if tender is not None:
        candidates.append(points_candidate(examination, tender, selection, shaped=shaped))
    candidates += money.candidates
    candidates += pinned_in_vain(examination, candidates)
    limited = any(item.reason is Reason.MARGIN_LIMIT for item in candidates)
    total = basket.total(selection.left)
    return Quote(
        cart=cart,
        member=None if member is None else member.external_id,
        tier=examination.facts.tier,
        ruleset_code=ruleset.code,
        ruleset_version=ruleset.version,
        choice=examination.choice,
        at=at,
        valid_until=at + timedelta(seconds=ruleset.holds.quote_ttl_s),
        lines=lines,
        candidates=tuple(candidates),
        tender=TenderUsed(tender.point_type, *payment) if tender and payment.points else None,
        earnings=quote_earnings(examination, items, selection, lines, shipping),
        subtotal_minor=cart.gross_minor,
        discount_minor=sum(taken.given for taken in selection.taken),
        shipping_minor=cart.shipping_minor,
        total_minor=total,
        payable_minor=total - payment.minor - money.gift_minor - money.credit_minor,
        margin=report(basket.guard, selection.left, points, limited=limited),
        proven=selection.proven,
        shipping_line=shipping,
        uses=_uses(ruleset, items, selection),
        credit=CreditUsed(money.credit_minor) if money.credit_minor else None,
        gift_cards=money.gifts,
        tax_minor=sum(line.tax_minor for line in (*lines, shipping)),
        gap_minor=selection.gap_minor,
    )


def quote_lines(
    examination: Examination, selection: Selection, points: Sequence[int], money: MoneyTender
) -> tuple[tuple[QuoteLine, ...], QuoteLine]:
    """The lines and shipping, each with its parts and what pays of it."""
    basket, left = examination.basket, selection.left
    parts: list[list[Part]] = [[] for _ in basket.lines]
    for taken in selection.taken:
        code = taken.entrant.reward.code
        for position, minor in zip(taken.entrant.covered, taken.parts, strict=True):
            if minor:
                parts[position].append(Part(code, minor))
    taxes = basket.taxes.by_line(left)
    owed = [due - paid for due, paid in zip(basket.owed(left), points, strict=True)]
    gifts = shares(owed, money.gift_minor)
    owed = [due - paid for due, paid in zip(owed, gifts, strict=True)]
    credit = shares(owed, money.credit_minor)
    made = [
        QuoteLine(
            line.id,
            line.product,
            line.quantity,
            gross,
            gross - left[at],
            left[at],
            points[at],
            tuple(parts[at]),
            taxes[at],
            credit[at],
            gifts[at],
        )
        for at, (line, gross) in enumerate(zip(basket.lines, basket.gross, strict=True))
    ]
    return tuple(made[:-1]), made[-1]


def _offers(items: Sequence[Examined], selection: Selection) -> Iterator[tuple[Taken, OfferFacts]]:
    """The member's offers among what is taken."""
    personal = {item.reward.code: item.offer.personal for item in items}
    for taken in selection.taken:
        facts = personal[taken.entrant.reward.code]
        if facts is not None:
            yield taken, facts


def _uses(
    ruleset: Ruleset, items: Sequence[Examined], selection: Selection
) -> tuple[QuotaUse, ...]:
    """Coupon uses, stock, offers and their budgets that the rewards taken need."""
    uses: list[QuotaUse] = []
    for taken in selection.taken:
        coupon, reward = taken.entrant.coupon, taken.entrant.reward
        if coupon is not None:
            uses.append(QuotaUse(QuotaKind.COUPON, coupon.code, coupon.coupon_id))
        if reward.is_counted:
            uses.append(QuotaUse(QuotaKind.STOCK, reward.code, None))
    for taken, facts in _offers(items, selection):
        uses += offer_uses(ruleset, facts, taken.given)
    return tuple(uses)


def quote_earnings(
    examination: Examination,
    items: Sequence[Examined],
    selection: Selection,
    lines: Sequence[QuoteLine],
    shipping: QuoteLine,
) -> tuple[Earning, ...]:
    """What the choice earns, the bonus points of offers among it."""
    ruleset, at = examination.ruleset, examination.at
    earnings = _earnings(
        ruleset,
        examination.member,
        examination.facts.cart,
        lines,
        shipping,
        selection.payment.minor,
        at,
    )
    return with_bonus(ruleset, earnings, list(_offers(items, selection)), len(lines), at)


def _earnings(
    ruleset: Ruleset,
    member: MemberFacts | None,
    cart: Cart,
    lines: Sequence[QuoteLine],
    shipping: QuoteLine,
    points_used_minor: int,
    at: datetime,
) -> tuple[Earning, ...]:
    if member is None or not member.is_active:
        return ()
    everything = (*lines, shipping)
    sign = _tax_sign(ruleset, cart)
    nets = [line.net_minor + sign * line.tax_minor for line in everything]
    before = [line.gross_minor for line in lines]
    if sign:
        taxes = tax_table(cart).by_line([*before, shipping.net_minor])
        before = [gross + sign * tax for gross, tax in zip(before, taxes, strict=False)]
    charged = sum(
        line.net_minor + (0 if cart.tax_included else line.tax_minor) for line in everything
    )

    def counted(paid_minor: int) -> int:
        """What a payment takes away from what counts: no tax that does not count itself."""
        return paid_minor * sum(nets) // charged if charged else 0

    return earned(
        ruleset,
        member.tier,
        [
            EarningLine(line, net, gross)
            for line, net, gross in zip(cart.lines, nets[:-1], before, strict=True)
        ],
        shipping_minor=nets[-1],
        points_used_minor=counted(points_used_minor),
        credit_used_minor=counted(sum(line.credit_minor + line.gift_minor for line in everything)),
        at=at,
    )


def _tax_sign(ruleset: Ruleset, cart: Cart) -> int:
    """Whether tax is taken from prices (-1) or put on them (1) for what counts; 0: neither."""
    wanted = ruleset.earning_base.tax
    if wanted is TaxBase.WITHOUT and cart.tax_included:
        return -1
    return 1 if wanted is TaxBase.WITH and not cart.tax_included else 0
