"""What comes back of an order as a caller describes it, read once into the domain's."""

from collections.abc import Sequence

import strawberry
from strawberry import UNSET

from loyalty.domain.quotes.quote_input import QUANTITY_MAX
from loyalty.domain.refunds.order_facts import SHIPPING
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.errors import BadInput, BadMoney, LoyaltyError
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.user_errors import within

LINES_MAX = 1_000
"""Most lines of one refund; as many as a reported order may have."""

LINES = (
    "What comes back, line by line, at most 1000. Without lines and shipping: all that is left of "
    "the order."
)
SHIPPING_BACK = "What comes back of shipping. In the order's currency."


@strawberry.input(
    description="What comes back of one line. Neither pieces nor an amount: all that is left of it."
)
class OrderRefundLineInput:
    line: ExternalId = strawberry.field(description="Id of the order's line.")
    quantity: int | None = strawberry.field(description="Pieces, 1 or more.", default=UNSET)
    amount: MoneyInput | None = strawberry.field(
        description="A part of what was charged for it, whatever paid; more than nothing.",
        default=UNSET,
    )


def asks_of(
    lines: Sequence[OrderRefundLineInput] | None, shipping: MoneyInput | None
) -> tuple[tuple[LineAsk, ...] | None, str | None]:
    """The lines of a step, None for all that is left; and the currency of its amounts.

    Raises:
        BadInput: too many lines, a piece or an amount that is none, or amounts of two currencies.
    """
    if not shipping and lines in (None, UNSET):
        return None, None
    given = lines or ()
    if len(given) > LINES_MAX:
        raise BadInput(
            f"found {len(given)} lines, wanted at most {LINES_MAX}", field=("input", "lines")
        )
    amounts = [line.amount for line in given if line.amount] + ([shipping] if shipping else [])
    currency = amounts[0].currency_code if amounts else None
    asks = [_ask(line, currency, position) for position, line in enumerate(given)]
    if shipping:
        asks.append(LineAsk(SHIPPING, 0, _minor(shipping, currency, ("input", "shipping"))))
    return tuple(asks), currency


def as_asked(refusal: LoyaltyError) -> LoyaltyError:
    """The same refusal, with the path of the argument it is about."""
    if refusal.field[:1] == ("lines",):
        refusal.field = ("input", *refusal.field)
    return refusal


def _ask(line: OrderRefundLineInput, currency: str | None, position: int) -> LineAsk:
    at = ("input", "lines", str(position))
    quantity = line.quantity if isinstance(line.quantity, int) else None
    if quantity is not None and not 1 <= quantity <= QUANTITY_MAX:
        raise BadInput(
            f"found quantity {quantity}, wanted 1 to {QUANTITY_MAX}", field=(*at, "quantity")
        )
    minor = _minor(line.amount, currency, (*at, "amount")) if line.amount else 0
    return LineAsk(line.line, quantity or 0, minor)


def _minor(given: MoneyInput, currency: str | None, at: tuple[str, ...]) -> int:
    try:
        amount = given.to_domain()
    except BadMoney as bad:
        raise within(bad, *at) from None
    if amount.currency != currency:
        raise BadInput(f"found {amount.currency} beside {currency}, wanted one currency", field=at)
    if amount.minor <= 0:
        raise BadInput(f"found {amount.text()}, wanted more than nothing", field=at)
    return amount.minor
