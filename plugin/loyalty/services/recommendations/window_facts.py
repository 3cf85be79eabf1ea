"""What recommended products mean to the member they are shown to."""

import asyncio
from collections.abc import Sequence

from loyalty.clock import Clock
from loyalty.domain.cart import CartLine
from loyalty.domain.quotes.quote_terms import Choice
from loyalty.domain.recommendations.window_facts import Shopper, WindowFacts, WindowFactsOf
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput
from loyalty.services.catalogue import Product
from loyalty.services.checkout.holdings import HoldingsReader
from loyalty.services.members.summary import Member


class ShownProducts:
    """Figures of products for one viewer, each reckoned once, and only when it is asked for."""

    def __init__(self, ruleset: Ruleset, shopper: Shopper | None, clock: Clock) -> None:
        self.ruleset = ruleset
        self._of = WindowFactsOf(ruleset, shopper, clock.now())
        self._reckoning: dict[int, asyncio.Task[dict[int, WindowFacts | None]]] = {}

    async def facts(self, product: Product, beside: Sequence[Product] = ()) -> WindowFacts | None:
        """None for a product without a price in the program's currency.

        Args:
            beside: what it is shown with, reckoned in the same go.
        """
        task = self._reckoning.get(product.id)
        if task is None:
            some = {each.id: each for each in (product, *beside) if each.id not in self._reckoning}
            # A page of fifty takes longer than others should wait for the loop.
            task = asyncio.create_task(asyncio.to_thread(self._all, list(some.values())))
            self._reckoning |= dict.fromkeys(some, task)
        return (await task)[product.id]

    def _all(self, products: Sequence[Product]) -> dict[int, WindowFacts | None]:
        return {product.id: self._facts(product) for product in products}

    def _facts(self, product: Product) -> WindowFacts | None:
        if product.price_minor is None or product.currency != self.ruleset.currency:
            return None
        try:
            return self._of.product(one_piece(product))
        except BadInput:
            # Its price would earn more points than can be counted: no cart could hold it.
            return None


def one_piece(product: Product) -> CartLine:
    """A line of one piece at the catalogue's price; at nothing where there is none."""
    return CartLine(
        "1",
        product.external_id,
        1,
        product.price_minor or 0,
        product.cost_minor,
        product.category,
        product.department,
        product.brand,
    )


class WindowFactsReader:
    """Reads, in one go for all products of an answer, what their figures depend on."""

    def __init__(self, holdings: HoldingsReader, clock: Clock) -> None:
        self._holdings = holdings
        self._clock = clock

    async def shown_to(
        self, tenant_id: int, ruleset: Ruleset, member: Member | None
    ) -> ShownProducts:
        """What a viewer's products are reckoned with.

        Args:
            member: None for a guest.
        """
        if member is None:
            return ShownProducts(ruleset, None, self._clock)
        holdings, _ = await self._holdings.read(tenant_id, ruleset, member, Choice())
        expiring = {item.unit: item.expiring_soon for item in member.balances}
        shopper = Shopper(member.facts(), member.tier, expiring, holdings)
        return ShownProducts(ruleset, shopper, self._clock)
