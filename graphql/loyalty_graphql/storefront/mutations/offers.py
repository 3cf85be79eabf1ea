"""Make a personal offer active."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput, LoyaltyError, NotFound
from loyalty.services.access import Viewer, ViewerKind
from loyalty.services.checkout.checkout import idempotent
from loyalty_graphql.context import Info
from loyalty_graphql.ids import decode_id
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId, IdempotencyKey
from loyalty_graphql.types.offers import Offer
from loyalty_graphql.user_errors import UserError, is_replay, user_errors, within


@strawberry.input(description="An offer to make active.")
class OfferActivateInput:
    idempotency_key: IdempotencyKey = strawberry.field(
        description="A repeat with the same key and body gets the first answer again and has no "
        "second effect."
    )
    offer_id: strawberry.ID = strawberry.field(description="The offer's id.")
    member: ExternalId | None = strawberry.field(
        description="Whose it is. Shoppers leave it out; services name a member.", default=UNSET
    )


@strawberry.type(description="An offer that was made active, or why it was not.")
class OfferActivatePayload:
    offer: Offer | None = strawberry.field(
        description="The offer as it is now; null when it was refused."
    )
    replayed: bool = strawberry.field(description="The key had an outcome before: this is it.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")


@strawberry.mutation(
    description="Make an offer active, so that it applies to the next cart that it covers. One "
    "that is active stays so. For shoppers: their own. For services with the scope members:write."
)
async def offer_activate(
    info: Info,
    input: Annotated[OfferActivateInput, strawberry.argument(description="Which offer.")],
) -> OfferActivatePayload:
    viewer = permitted(info)
    context = info.context
    try:
        name = _whose(viewer, input.member or None)
        offer_id = _offer_id(input.offer_id)
        once = idempotent(viewer, "offerActivate", input.idempotency_key, [name, offer_id])
        id, replayed = await context.services.offers.activate(
            context.tenant_id, once, name, offer_id
        )
        context.refresh()
        rules = await context.loaders.ruleset()
        found = await context.services.offers.by_id(context.tenant_id, id, rules)
    except LoyaltyError as refusal:
        return OfferActivatePayload(
            offer=None, replayed=is_replay(refusal), user_errors=user_errors(refusal)
        )
    member = await context.loaders.members.load(name)
    words = context.words(None, member=None if member is None else member.locale)
    return OfferActivatePayload(
        offer=Offer.of(found, rules, words), replayed=replayed, user_errors=[]
    )


def _whose(viewer: Viewer, name: str | None) -> str:
    """The member: a shopper's own, or the one a service names."""
    own = viewer.member_external_id
    if viewer.kind is ViewerKind.SHOPPER:
        if own is None or name not in (None, own):
            raise NotFound("offer", field=("input", "offerId"))
        return own
    if name is None:
        raise BadInput("found no member, wanted one's id", field=("input", "member"))
    return name


def _offer_id(text: strawberry.ID) -> int:
    try:
        return decode_id(text, "Offer")
    except BadInput as problem:
        raise within(problem, "input", "offerId") from problem
