"""Coupons, and the stock of rewards."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import NotFound
from loyalty_graphql.admin.types.coupons import Coupon, RewardStock
from loyalty_graphql.context import Info
from loyalty_graphql.ids import ROW_ID_MAX
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.types.members import After, First


@strawberry.field(description="A coupon; null when there is none of that code.")
async def coupon(
    info: Info,
    code: Annotated[str, strawberry.argument(description="Its code, in any case.")],
) -> Coupon | None:
    context = info.context
    try:
        return Coupon.of(await context.services.coupons.named(context.tenant_id, code))
    except NotFound:
        return None


@strawberry.field(description="Coupons, in the order in which they were issued.")
async def coupons(info: Info, first: First = 20, after: After = UNSET) -> Connection[Coupon]:
    context = info.context
    wanted = page("coupons", first, after or None, (int,))
    after_id = 0 if wanted.after is None else min(int(wanted.after[0]), ROW_ID_MAX)
    found = await context.services.coupons.listed(context.tenant_id, wanted.limit, after_id)
    return wanted.connection(found, Coupon.of, lambda each: (each.id,))


@strawberry.field(description="The stock of rewards that was set or counted, by code.")
async def reward_stocks(info: Info) -> list[RewardStock]:
    context = info.context
    found = await context.services.coupons.stocks(context.tenant_id)
    return [RewardStock.of(stock) for stock in found]
