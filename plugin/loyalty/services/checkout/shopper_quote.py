"""What a shopper may learn from a quote.

The margin guard cuts a discount to what the cost allows, so the size of the cut tells the cost,
and whoever may name prices can search for it. A shopper's quote therefore takes its prices
from the catalogue, and a reward that the guard would cut is only said to be limited.
"""

from dataclasses import replace
from datetime import datetime

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_holdings import NO_HOLDINGS, Holdings
from loyalty.domain.quotes.quote_terms import TENDER, Candidate, Choice, MemberFacts, Outcome, Quote
from loyalty.domain.reasons import Reason
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.services.catalogue import Product


def at_catalogue_prices(cart: Cart, products: dict[str, Product]) -> Cart:
    """The cart with the shop's own prices where it has told them."""
    return replace(cart, lines=tuple(_priced(line, products, cart.currency) for line in cart.lines))


def _priced(line: CartLine, products: dict[str, Product], currency: str) -> CartLine:
    product = products.get(line.product)
    if product is None or product.price_minor is None or product.currency != currency:
        # Without a price of the shop's there is no telling what the browser made up, so the
        # cost stays out of it.
        return line._replace(cost_minor=None)
    return line._replace(unit_minor=product.price_minor)


def quote_for_shopper(
    ruleset: Ruleset,
    member: MemberFacts | None,
    cart: Cart,
    choice: Choice,
    at: datetime,
    holdings: Holdings = NO_HOLDINGS,
) -> Quote:
    """A quote in which the cost has no say: whatever it would shape is left out.

    That is what the guard would cut, and what it would take off or pay of other lines than
    it would without a floor. It is indicative; the checkout service's binding one gives the
    part that the guard allows.
    """
    barred: frozenset[str] = frozenset()
    while True:
        found = quote(ruleset, member, cart, choice, at, holdings, barred=barred)
        shaped = {item.code for item in found.candidates if item.is_cost_shaped} - barred
        if not shaped:
            return _told(found, barred)
        barred |= shaped


def _told(found: Quote, barred: frozenset[str]) -> Quote:
    """The answer with the plain reason for what was left out, and without any figure of the
    margin's. How much more could be saved at most is one: its bound knows the room.
    """
    candidates = tuple(
        _told_candidate(item)
        if item.code in barred or item.reason is Reason.MARGIN_LIMIT
        else _with_open_change(item)
        for item in found.candidates
    )
    margin = found.margin
    if margin is not None:
        limited = any(item.reason is Reason.MARGIN_LIMIT for item in candidates)
        margin = replace(margin, limited=limited, actual_bp=None)
    return replace(found, candidates=candidates, margin=margin, gap_minor=0)


def _with_open_change(item: Candidate) -> Candidate:
    """A candidate without a change after which the margin would keep it out of this quote."""
    if item.nearest is None or not item.nearest.is_cost_shaped:
        return item
    return replace(item, nearest=None)


def _told_candidate(item: Candidate) -> Candidate:
    """A candidate in which the cost had a say, without any figure that it shaped.

    What keeps a reward out whatever it costs stands: a minimum that is not met, a coupon that
    is over. All else is said to be limited, paying with points in every case.
    """
    plain = replace(
        item,
        nearest=None,
        points=0 if item.code == TENDER else item.points,
        discount_minor=0,
        cut_minor=0,
        capped_minor=0,
        is_cost_shaped=False,
    )
    is_kept_out = item.outcome is Outcome.REJECTED and item.reason is not Reason.MARGIN_LIMIT
    if is_kept_out and item.code != TENDER:
        return plain
    return replace(plain, outcome=Outcome.REJECTED, reason=Reason.MARGIN_LIMIT, gap=None)
