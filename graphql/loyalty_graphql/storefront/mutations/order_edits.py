"""Changes of orders after they were paid."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine
from loyalty.domain.quotes.quote_input import QUANTITY_MAX
from loyalty.domain.refunds.refund_edits import NAME_MAX
from loyalty.errors import BadInput, LoyaltyError
from loyalty_graphql.context import Info
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId, IdempotencyKey
from loyalty_graphql.storefront.carts import money_told
from loyalty_graphql.storefront.mutations.checkout import KEY
from loyalty_graphql.storefront.mutations.orders import (
    ORDER,
    OrderRefundPayload,
    booked,
    refused,
)
from loyalty_graphql.storefront.refunds import LINES_MAX
from loyalty_graphql.types.note import note


@strawberry.input(description="One line of an order as it is now.")
class OrderEditLineInput:
    id: ExternalId = strawberry.field(
        description="The line's name, as the order has it; a name of its own for a new line."
    )
    product: ExternalId = strawberry.field(description="External id of the product.")
    quantity: int = strawberry.field(description="How many pieces: 1 to 1000000.")
    amount: MoneyInput = strawberry.field(
        description="The whole line's price before rewards, in the order's currency."
    )
    discount: MoneyInput | None = strawberry.field(
        description="What rewards took off it; nothing by default.", default=UNSET
    )
    category: str | None = strawberry.field(
        description="The product's category; what the catalogue says by default.", default=UNSET
    )


@strawberry.input(description="An order as it is now, refunds aside.")
class OrderEditInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    order_external_id: ExternalId = strawberry.field(description=ORDER)
    edit_external_id: ExternalId = strawberry.field(
        description="The shop's own name for the change, at most 120 characters; a second one of "
        "this name changes nothing, and is refused when it says something else."
    )
    lines: list[OrderEditLineInput] = strawberry.field(
        description="All its lines as they are now, 1 to 1000. What is missing comes back."
    )
    shipping: MoneyInput | None = strawberry.field(
        description="What shipping costs now; nothing by default.", default=UNSET
    )
    occurred_at: datetime | None = strawberry.field(
        description="When it was changed: from 1990 on and at most 5 minutes ahead; now by "
        "default. The latest change of an order counts, and an earlier one is refused.",
        default=UNSET,
    )


@strawberry.type(description="A change that was booked, or why it was not.")
class OrderEditPayload(OrderRefundPayload):
    pass


@strawberry.mutation(
    description="Change an order after it was paid to what it is now: what became less comes back "
    "as by a refund, what is more earns as if it had been ordered so. For services with the scope "
    "checkout:write."
)
async def order_edit(
    info: Info,
    input: Annotated[OrderEditInput, strawberry.argument(description="The order as it is now.")],
) -> OrderEditPayload:
    viewer = permitted(info)
    context = info.context
    try:
        if len(input.edit_external_id) > NAME_MAX:
            raise BadInput(
                f"found {len(input.edit_external_id)} characters, wanted at most {NAME_MAX}",
                field=("input", "editExternalId"),
            )
        lines = _lines(input.lines)
        # An order's, which may be older than a change of the program's.
        currency = input.lines[0].amount.currency_code
        shipping = Money(0, currency)
        if input.shipping:
            shipping = _amount(input.shipping, currency, "input", "shipping")
        done = await context.services.checkout.edit(
            viewer,
            input.idempotency_key,
            input.order_external_id,
            input.edit_external_id,
            lines,
            shipping,
            input.occurred_at or None,
        )
        return await booked(info, OrderEditPayload, done, input.order_external_id)
    except LoyaltyError as refusal:
        return refused(OrderEditPayload, refusal)


def _lines(given: Sequence[OrderEditLineInput]) -> tuple[OrderLine, ...]:
    if not 1 <= len(given) <= LINES_MAX:
        raise BadInput(
            f"found {len(given)} lines, wanted 1 to {LINES_MAX}", field=("input", "lines")
        )
    currency = given[0].amount.currency_code
    seen: set[str] = set()
    lines = []
    for position, line in enumerate(given):
        at = ("input", "lines", str(position))
        if line.id in seen:
            raise BadInput(
                f"found two lines of id {line.id!r}, wanted each id once", field=(*at, "id")
            )
        seen.add(line.id)
        lines.append(_line(line, currency, *at))
    return tuple(lines)


def _line(line: OrderEditLineInput, currency: str, *at: str) -> OrderLine:
    if not 1 <= line.quantity <= QUANTITY_MAX:
        raise BadInput(
            f"found quantity {line.quantity}, wanted 1 to {QUANTITY_MAX}", field=(*at, "quantity")
        )
    amount = _amount(line.amount, currency, *at, "amount")
    discount = Money(0, currency)
    if line.discount:
        discount = _amount(line.discount, currency, *at, "discount")
    if discount.minor > amount.minor:
        raise BadInput(
            f"found {discount.text()}, wanted at most the amount, {amount.text()}",
            field=(*at, "discount"),
        )
    return OrderLine(
        product=line.product,
        quantity=line.quantity,
        amount_minor=amount.minor,
        discount_minor=discount.minor,
        category=note(line.category or None, *at, "category"),
        id=line.id,
    )


def _amount(given: MoneyInput, currency: str, *at: str) -> Money:
    if given.currency_code != currency:
        raise BadInput(
            f"found {given.currency_code} beside {currency}, wanted one currency",
            field=(*at, "currencyCode"),
        )
    amount = money_told(given, *at)
    if amount.minor < 0:
        raise BadInput(f"found {amount.text()}, wanted no less than 0", field=at)
    return amount
