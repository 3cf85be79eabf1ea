"""Gift cards."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput, NotFound
from loyalty_graphql.admin.types.gift_cards import GiftCard
from loyalty_graphql.context import Info
from loyalty_graphql.ids import ROW_ID_MAX, decode_id
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.types.members import After, First


@strawberry.field(description="A gift card, by its id or its code; null when there is none.")
async def gift_card(
    info: Info,
    id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = UNSET,
    code: Annotated[
        str | None, strawberry.argument(description="Or its code, with or without dashes.")
    ] = UNSET,
) -> GiftCard | None:
    context = info.context
    cards = context.services.gift_cards
    if bool(id) == bool(code):
        raise BadInput("wanted an id or a code, one of them")
    try:
        if code:
            return GiftCard.of(await cards.by_code(context.tenant_id, code))
        row_id = decode_id(str(id), "GiftCard")
        return GiftCard.of(await cards.by_id(context.tenant_id, row_id))
    except NotFound:
        return None


@strawberry.field(description="Gift cards, in the order in which they were issued.")
async def gift_cards(info: Info, first: First = 20, after: After = UNSET) -> Connection[GiftCard]:
    context = info.context
    wanted = page("gift-cards", first, after or None, (int,))
    after_id = 0 if wanted.after is None else min(int(wanted.after[0]), ROW_ID_MAX)
    found = await context.services.gift_cards.listed(context.tenant_id, wanted.limit, after_id)
    return wanted.connection(found, GiftCard.of, lambda each: (each.id,))
