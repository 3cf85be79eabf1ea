"""The facts of an order: from the quote that it was bought by, or from a shop's report."""

from collections.abc import Sequence

from loyalty.domain.conditions import Condition, MinimumPurchase
from loyalty.domain.money import allocated
from loyalty.domain.offers.offers import money_budget, own_use, points_budget
from loyalty.domain.quotes.quote_offers import offer_reward
from loyalty.domain.quotes.quote_terms import Candidate, QuotaKind, Quote, QuoteLine
from loyalty.domain.refunds.order_facts import (
    NO_SHIPPING,
    SHIPPING,
    FactsLine,
    OrderFacts,
    PricePaid,
    RewardPart,
    RewardTaken,
    UseTaken,
    with_shares,
)
from loyalty.domain.rulesets.ruleset import Ruleset


def quoted_facts(quote: Quote, ruleset: Ruleset) -> OrderFacts:
    """What was quoted, line by line. ``ruleset``: the one quoted by."""
    is_added = not quote.cart.tax_included
    lines = tuple(_quoted_line(line, line.quantity, is_added) for line in quote.lines)
    shipping = _quoted_line(quote.shipping_line, 0, is_added)._replace(id=SHIPPING)
    if not shipping.gross_minor and quote.shipping_minor:
        # An older quote says of shipping only what it costs, and its lines what points paid.
        paid = quote.tender.value_minor if quote.tender else 0
        paid -= sum(line.points_minor for line in lines)
        shipping = FactsLine(SHIPPING, 0, quote.shipping_minor, quote.shipping_minor, paid)
    tenders = _tenders(quote)
    if tenders != _shares((*lines, shipping)):
        # Its lines do not say which of them paid; what paid comes back all the same.
        bare = [_unpaid(line) for line in (*lines, shipping)]
        *shared, shipping = with_shares(bare, *tenders)
        lines = tuple(shared)
    return OrderFacts(lines, shipping, _tender(quote), _rewards(quote, ruleset))


def _tenders(quote: Quote) -> tuple[int, int, int]:
    """What points, credit and gift cards pay, in minor units."""
    return (
        quote.tender.value_minor if quote.tender else 0,
        quote.credit.minor if quote.credit else 0,
        sum(card.minor for card in quote.gift_cards),
    )


def _shares(lines: Sequence[FactsLine]) -> tuple[int, int, int]:
    return (
        sum(line.points_minor for line in lines),
        sum(line.credit_minor for line in lines),
        sum(line.gift_minor for line in lines),
    )


def _unpaid(line: FactsLine) -> FactsLine:
    return line._replace(points_minor=0, credit_minor=0, gift_minor=0)


def reported_facts(
    ids: Sequence[str],
    lines: Sequence[tuple[int, int, int]],
    shipping_minor: int,
    quote: Quote | None = None,
    ruleset: Ruleset | None = None,
) -> OrderFacts:
    """What a shop reported: quantity, amount and discount of each line.

    With the ``quote`` that the order redeemed although it was paid otherwise: what its tender
    paid and its rewards took off is spread over the lines, in proportion to their prices.
    """
    found = [
        FactsLine(id, quantity, amount, amount - discount)
        for id, (quantity, amount, discount) in zip(ids, lines, strict=True)
    ]
    shipping = FactsLine(SHIPPING, 0, shipping_minor, shipping_minor) if shipping_minor else None
    if quote is None or ruleset is None:
        return OrderFacts(tuple(found), shipping or NO_SHIPPING)
    rewards = _rewards(quote, ruleset)
    weights = [line.gross_minor for line in found]
    for code, taken in _applied(quote).items() if sum(weights) else ():
        parts = allocated(sum(item.discount_minor for item in taken), weights)
        found = [
            line._replace(parts=(*line.parts, RewardPart(code, part))) if part else line
            for line, part in zip(found, parts, strict=True)
        ]
    shared = with_shares([*found, shipping or NO_SHIPPING], *_tenders(quote))
    return OrderFacts(shared[:-1], shared[-1], _tender(quote), rewards)


def _quoted_line(line: QuoteLine, quantity: int, is_tax_added: bool) -> FactsLine:
    return FactsLine(
        line.id,
        quantity,
        line.gross_minor,
        line.net_minor + (line.tax_minor if is_tax_added else 0),
        line.tender_minor,
        line.credit_minor,
        line.gift_minor,
        line.tax_minor,
        tuple(RewardPart(part.code, part.minor) for part in line.parts),
    )


def _tender(quote: Quote) -> PricePaid | None:
    tender = quote.tender
    return None if tender is None else PricePaid(tender.point_type, tender.points)


def _applied(quote: Quote) -> dict[str, list[Candidate]]:
    """The rewards and benefits taken by code; more than one where several coupons bring it."""
    taken: dict[str, list[Candidate]] = {}
    for candidate in quote.applied:
        taken.setdefault(candidate.code, []).append(candidate)
    return taken


def _rewards(quote: Quote, ruleset: Ruleset) -> tuple[RewardTaken, ...]:
    found = []
    for code, taken in _applied(quote).items():
        point_type, points = taken[0].point_type, sum(item.points for item in taken)
        price = PricePaid(point_type, points) if point_type is not None and points else None
        own = _own_uses(code, taken)
        uses = tuple(
            UseTaken(str(use.kind), use.subject, use.quantity)
            for use in quote.uses
            if (use.kind, use.subject) in own
        )
        found.append(RewardTaken(code, price, _minimum(ruleset, code), uses))
    return tuple(found)


def _own_uses(code: str, taken: Sequence[Candidate]) -> set[tuple[QuotaKind, str | None]]:
    """What the uses of a reward are called."""
    own: set[tuple[QuotaKind, str | None]] = {(QuotaKind.STOCK, code)}
    for item in taken:
        own.add((QuotaKind.COUPON, item.coupon_code))
        if item.offer_id is not None:
            offer, _, _ = code.partition(".")
            subjects = own_use(item.offer_id), money_budget(offer), points_budget(offer)
            own |= {(QuotaKind.BUDGET, subject) for subject in subjects}
    return own


def _minimum(ruleset: Ruleset, code: str) -> int:
    """The purchase that a reward, benefit or offer wants, in minor units; 0 for none."""
    conditions: list[Condition] = []
    personal = offer_reward(ruleset, *code.split(".", 1)) if "." in code else None
    if personal is not None:
        conditions += personal.conditions
    for reward in ruleset.rewards:
        if reward.code == code:
            conditions += reward.conditions
    for tier in ruleset.tier_policy.tiers:
        for benefit in tier.benefits:
            if benefit.code == code:
                conditions += benefit.conditions
    wanted = [item.minor for item in conditions if isinstance(item, MinimumPurchase)]
    return max(wanted, default=0)
