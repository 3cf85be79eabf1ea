"""Checkout as its callers see it: quote, reserve, extend, commit, release, refund."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from loyalty.clock import Clock
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine
from loyalty.domain.quotes.quote import quote as quoted
from loyalty.domain.quotes.quote_terms import Choice, Quote
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput, NotFound
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.books.desk import Command, Idempotent
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.catalogue import Catalogue, Product
from loyalty.services.checkout.code_guard import CodeGuard
from loyalty.services.checkout.commit import Commit
from loyalty.services.checkout.holdings import HoldingsReader
from loyalty.services.checkout.quote_token import QuoteTokens
from loyalty.services.checkout.reservations import Extend, Release, Reserve
from loyalty.services.checkout.shopper_quote import at_catalogue_prices, quote_for_shopper
from loyalty.services.members.summary import Summaries
from loyalty.services.orders.order_edits import EDIT, OrderEdit
from loyalty.services.orders.order_lines import products_of, with_catalogue
from loyalty.services.orders.orders import AHEAD_MAX
from loyalty.services.orders.refund_commands import (
    PREVIEW,
    Foreseen,
    PreviewRefund,
    RefundOrder,
    cancellation_name,
    edit_name,
)
from loyalty.services.orders.refunds import CANCELLATION
from loyalty.services.rulesets import Rulesets

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""The earliest moment that an order may have been paid at."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote, and the token that carries it to a reservation; None when it is indicative.

    ``locale``: the member's own, None where there is none.
    ``hash`` identifies the answer. What a shopper gets is keyed: the plain hash covers the
    cost price, and a small number is soon found by trying.
    """

    quote: Quote
    hash: str
    token: str | None
    locale: str | None = None

    @property
    def is_binding(self) -> bool:
        return self.token is not None


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of a call that moves value; ``replayed``: it was the key's first one."""

    outcome: Mapping[str, Any]
    replayed: bool


def idempotent(viewer: Viewer, operation: str, key: str, body: Sequence[object]) -> Idempotent:
    """A caller's key bound to the body it came with."""
    text = orjson.dumps(body, default=str)
    return Idempotent(viewer.client, operation, key, hashlib.sha256(text).hexdigest())


class Checkout:
    """The checkout protocol of ``docs/concepts/checkout.md``."""

    def __init__(
        self,
        door: Door,
        clock: Clock,
        rulesets: Rulesets,
        summaries: Summaries,
        catalogue: Catalogue,
        tokens: QuoteTokens,
        holdings: HoldingsReader,
        guard: CodeGuard,
    ) -> None:
        self._door = door
        self._clock = clock
        self._rulesets = rulesets
        self._summaries = summaries
        self._catalogue = catalogue
        self._tokens = tokens
        self._holdings = holdings
        self._guard = guard

    async def quote(
        self,
        viewer: Viewer,
        cart: Cart,
        member: str | None,
        choice: Choice,
        ruleset: Ruleset | None = None,
    ) -> Quoted:
        """What the cart would get, and why. Moves nothing.

        What the same cart holds already counts as free: to reserve gives it back first.

        A shopper's quote is indicative: its prices come from the catalogue where the shop has
        told them and from the browser where not, and it tells nothing of the margin.

        Args:
            choice: with codes as they were typed, of coupons and gift cards alike.
            ruleset: the one in force, where the caller has asked for it already.

        Raises:
            NotFound: no such member. BadInput: the cart does not hold together.
            TooManyAttempts: the caller has tried too many codes that nobody has.
        """
        ruleset = ruleset or await self._rulesets.current(viewer.tenant_id)
        known = None
        replaced = await self._holdings.replaced(viewer.tenant_id, cart.id)
        without, holder_id = replaced or (None, None)
        if choice.codes:
            await self._guard.check(viewer, member or cart.id)
        if member is not None:
            try:
                known = await self._summaries.exact(
                    viewer.tenant_id, member, ruleset=ruleset, without=without
                )
            except NotFound as missing:
                raise NotFound(missing.kind, member, field=("input", "member")) from missing
        facts = None if known is None else known.facts()
        locale = None if known is None else known.locale
        if holder_id != (None if known is None else known.id):
            # Somebody else's: a cart's name is no claim to what another holds.
            without = None
        held, choice = await self._holdings.read(viewer.tenant_id, ruleset, known, choice, without)
        await self._guard.missed(viewer, member or cart.id, held.unknown_codes)
        products = await self._catalogue.many(
            viewer.tenant_id, list(dict.fromkeys(line.product for line in cart.lines))
        )
        if viewer.kind is ViewerKind.SHOPPER:
            # What a shopper may not see is priced like what is not there.
            tier = None if facts is None else facts.tier
            products = {name: item for name, item in products.items() if item.visible_to(tier)}
        filled = _filled(cart, products)
        now = self._clock.now()
        if viewer.kind is ViewerKind.SHOPPER:
            cart = at_catalogue_prices(filled, products)
            quote = quote_for_shopper(ruleset, facts, cart, choice, now, held)
            return Quoted(quote, self._tokens.keyed(viewer.tenant_id, quote.hash), None, locale)
        quote = quoted(ruleset, facts, filled, choice, now, held)
        return Quoted(quote, quote.hash, self._tokens.sign(viewer.tenant_id, quote), locale)

    async def reserve(self, viewer: Viewer, key: str, token: str, ttl_s: int | None) -> Done:
        """Hold what a quote takes. Raises the refusals of ``reservations.Reserve``."""
        viewer.require(Scope.CHECKOUT_WRITE)
        quote = self._tokens.read(viewer.tenant_id, token)
        once = idempotent(viewer, "checkoutReserve", key, [token, ttl_s])
        return await self._done(Reserve(viewer.tenant_id, once, quote, ttl_s))

    async def extend(self, viewer: Viewer, key: str, reservation_id: int, ttl_s: int) -> Done:
        """Hold for longer, up to the ruleset's limit."""
        viewer.require(Scope.CHECKOUT_WRITE)
        once = idempotent(viewer, "checkoutExtend", key, [reservation_id, ttl_s])
        return await self._done(Extend(viewer.tenant_id, once, reservation_id, ttl_s))

    async def commit(
        self,
        viewer: Viewer,
        key: str,
        reservation_id: int,
        order: str,
        paid: Money,
        occurred_at: datetime | None,
    ) -> Done:
        """Turn a hold into a redemption and book the order.

        Raises:
            BadInput: it occurred in the future, or before anybody counted.
        """
        viewer.require(Scope.CHECKOUT_WRITE)
        if occurred_at is not None:
            # Not in the command: a moment that lies ahead does not for ever, so the refusal is
            # not to be kept with the key.
            _check_occurred(occurred_at, self._clock.now())
        body = [reservation_id, order, paid.minor, paid.currency, occurred_at]
        once = idempotent(viewer, "checkoutCommit", key, body)
        command = Commit(viewer.tenant_id, once, reservation_id, order, paid, occurred_at)
        return await self._done(command)

    async def release(self, viewer: Viewer, key: str, reservation_id: int) -> Done:
        """Give a hold back."""
        viewer.require(Scope.CHECKOUT_WRITE)
        once = idempotent(viewer, "checkoutRelease", key, [reservation_id])
        return await self._done(Release(viewer.tenant_id, once, reservation_id))

    async def refund(
        self,
        viewer: Viewer,
        key: str,
        order: str,
        refund: str,
        reason: str | None,
        lines: tuple[LineAsk, ...] | None = None,
        currency: str | None = None,
    ) -> Done:
        """Refund lines of an order; ``lines`` None: all that is left of it.

        Args:
            currency: of the amounts in ``lines``.
        """
        viewer.require(Scope.CHECKOUT_WRITE)
        body = [order, refund, reason, *(() if lines is None else (lines, currency))]
        once = idempotent(viewer, "orderRefund", key, body)
        command = RefundOrder(
            viewer.tenant_id,
            order,
            refund,
            reason,
            None,
            idempotent=once,
            lines=lines,
            currency=currency,
        )
        return await self._done(command)

    async def cancel(self, viewer: Viewer, key: str, order: str, reason: str | None) -> Done:
        """Take a whole order back and leave it cancelled."""
        viewer.require(Scope.CHECKOUT_WRITE)
        once = idempotent(viewer, "orderCancel", key, [order, reason])
        command = RefundOrder(
            viewer.tenant_id,
            order,
            cancellation_name(order),
            reason,
            None,
            idempotent=once,
            kind=CANCELLATION,
        )
        return await self._done(command)

    async def edit(
        self,
        viewer: Viewer,
        key: str,
        order: str,
        edit: str,
        lines: Sequence[OrderLine],
        shipping: Money,
        occurred_at: datetime | None,
    ) -> Done:
        """Change an order's lines to what they are now, refunds aside.

        Args:
            lines: with their ids. occurred_at: None: now, and later than any change before.

        Raises:
            BadInput: it occurred in the future, or before anybody counted.
        """
        viewer.require(Scope.CHECKOUT_WRITE)
        if occurred_at is not None:
            _check_occurred(occurred_at, self._clock.now())
        body = [order, edit, lines, shipping.minor, shipping.currency, occurred_at]
        once = idempotent(viewer, "orderEdit", key, body)
        products = await self._catalogue.many(viewer.tenant_id, products_of(lines))
        known = with_catalogue(lines, products)
        command = RefundOrder(
            viewer.tenant_id,
            order,
            edit_name(edit),
            None,
            occurred_at,
            idempotent=once,
            kind=EDIT,
            edit=OrderEdit(known, shipping.minor, shipping.currency),
        )
        return await self._done(command)

    async def refund_preview(
        self,
        viewer: Viewer,
        order: str,
        lines: tuple[LineAsk, ...] | None,
        currency: str | None = None,
    ) -> Foreseen:
        """What ``refund`` would book now. Moves nothing. Raises the refusals of ``refund``."""
        viewer.require(Scope.CHECKOUT_WRITE)
        command = RefundOrder(
            viewer.tenant_id, order, PREVIEW, None, None, lines=lines, currency=currency
        )
        verdict = await self._door.submit(PreviewRefund(command))
        if isinstance(verdict.refusal, Foreseen):
            return verdict.refusal
        outcome_of(verdict)
        raise AssertionError("a preview ends with what is foreseen, or with a refusal")

    async def _done(self, command: Command) -> Done:
        verdict = await self._door.submit(command)
        return Done(outcome_of(verdict), verdict.replayed)


def _check_occurred(at: datetime, now: datetime) -> None:
    if not EARLIEST <= at <= now + AHEAD_MAX:
        raise BadInput(
            f"found {at.isoformat()}, wanted a moment from {EARLIEST.year} on, and at most "
            f"{AHEAD_MAX.seconds // 60} minutes ahead of {now.isoformat()}",
            field=("input", "occurredAt"),
        )


def _filled(cart: Cart, products: dict[str, Product]) -> Cart:
    """What the cart leaves out and the catalogue knows: category, brand, cost."""
    lines = tuple(
        _filled_line(line, products.get(line.product), cart.currency) for line in cart.lines
    )
    return replace(cart, lines=lines)


def _filled_line(line: CartLine, product: Product | None, currency: str) -> CartLine:
    if product is None:
        return line
    cost = line.cost_minor
    if cost is None and product.currency == currency:
        cost = product.cost_minor
    return line._replace(
        cost_minor=cost,
        category=line.category or product.category,
        department=line.department or product.department,
        brand=line.brand or product.brand,
    )
