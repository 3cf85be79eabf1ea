"""What a shopper may learn from a quote.

The margin guard cuts a discount to what the cost allows, so the size of the cut tells the cost,
and whoever may name prices can search for it. A shopper's quote therefore takes its prices
from the catalogue, and a reward that the guard would cut is only said to be limited.
"""

from dataclasses import replace
from datetime import datetime

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quote import quote
from loyalty.domain.quote_holdings import NO_HOLDINGS, Holdings
from loyalty.domain.quote_terms import (
    NO_POINTS,
    TENDER,
    Candidate,
    Choice,
    MemberFacts,
    Outcome,
    Quote,
)
from loyalty.domain.reasons import Reason
from loyalty.domain.ruleset import Ruleset
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
    """A quote in which the margin guard cuts nothing: what it would cut is left out.

    It is indicative; the checkout service's binding one gives the part that the guard allows.
    """
    limited: dict[str, Candidate] = {}
    asked = choice
    while True:
        found = quote(ruleset, member, cart, asked, at, holdings)
        cut = [item for item in found.candidates if item.cut_minor and item.code not in limited]
        if not cut:
            return _told(found, limited)
        for item in cut:
            limited[item.code] = item
            if item.code == TENDER:
                asked = replace(asked, points=NO_POINTS)
            else:
                asked = replace(
                    asked,
                    excluded=(*asked.excluded, item.code),
                    pinned=tuple(code for code in asked.pinned if code != item.code),
                )


def _told(found: Quote, limited: dict[str, Candidate]) -> Quote:
    """The answer with the plain reason in place of the exclusion, and without any figure of
    the margin's."""
    candidates = tuple(
        replace(
            item,
            outcome=Outcome.REJECTED,
            reason=Reason.MARGIN_LIMIT,
            gap=None,
            nearest=None,
            discount_minor=0,
            cut_minor=0,
        )
        if item.code in limited or item.reason is Reason.MARGIN_LIMIT
        else item
        for item in found.candidates
    )
    return replace(found, candidates=candidates)
