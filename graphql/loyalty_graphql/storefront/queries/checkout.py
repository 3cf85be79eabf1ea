"""Quotes."""

from typing import Annotated

import strawberry

from loyalty.errors import BadInput, LoyaltyError
from loyalty.services.access import Viewer, ViewerKind
from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.storefront.carts import CheckoutQuoteInput, as_asked, cart_of, choice_of
from loyalty_graphql.types.quotes import Quote
from loyalty_graphql.user_errors import UserError, user_errors


@strawberry.type(description="A quote, or why there is none.")
class CheckoutQuotePayload:
    quote: Quote | None = strawberry.field(description="The quote; null when it was refused.")
    user_errors: list[UserError] = strawberry.field(description="Why there is no quote.")


@strawberry.field(
    description="What a cart would get, and why. Reads only, and moves nothing. For shoppers, "
    "about their own cart: indicative. For services with the scope checkout:quote: binding until "
    "`validUntil`."
)
async def checkout_quote(
    info: Info,
    input: Annotated[
        CheckoutQuoteInput, strawberry.argument(description="The cart and the choice.")
    ],
) -> CheckoutQuotePayload:
    viewer = permitted(info)
    try:
        return CheckoutQuotePayload(quote=await _quoted(info, viewer, input), user_errors=[])
    except BadInput as refusal:
        return CheckoutQuotePayload(quote=None, user_errors=user_errors(as_asked(refusal)))
    except LoyaltyError as refusal:
        return CheckoutQuotePayload(quote=None, user_errors=user_errors(refusal))


async def _quoted(info: Info, viewer: Viewer, given: CheckoutQuoteInput) -> Quote:
    context = info.context
    is_shopper = viewer.kind is ViewerKind.SHOPPER
    rules = await context.loaders.ruleset()
    cart = cart_of(given, rules.currency, with_cost=not is_shopper)
    choice = choice_of(given, rules.currency)
    member: str | None = given.member or None
    if is_shopper:
        if member not in (None, viewer.member_external_id):
            raise BadInput(
                "found another member's id, wanted none: a shopper's quote is its own",
                field=("input", "member"),
            )
        member = viewer.member_external_id
    quoted = await context.services.checkout.quote(viewer, cart, member, choice, rules)
    return Quote.of(
        quoted.quote,
        await context.loaders.rulesets.load(quoted.quote.ruleset_version),
        words=context.words(given.locale or None, member=quoted.locale),
        shows_margin=not is_shopper,
        hash=quoted.hash,
        token=quoted.token,
        binding=quoted.is_binding,
    )
