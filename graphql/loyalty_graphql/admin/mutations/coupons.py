"""Issue and revoke coupons; set the stock of rewards."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import LoyaltyError
from loyalty.services.checkout.checkout import idempotent
from loyalty.services.coupons.coupon_commands import CouponTerms
from loyalty_graphql.admin.types.coupons import Coupon, RewardStock
from loyalty_graphql.context import Info
from loyalty_graphql.scalars import BigInt, ExternalId, IdempotencyKey
from loyalty_graphql.user_errors import UserError, is_replay, user_errors


@strawberry.input(description="New coupons: of `codes`, or `count` of random ones. All or none.")
class CouponIssueInput:
    idempotency_key: IdempotencyKey = strawberry.field(
        description="A repeat with the same key gets the same codes and makes no others."
    )
    reward: str = strawberry.field(description="Code of the reward that they bring.")
    codes: list[str] | None = strawberry.field(
        description="Up to 1,000 codes of 3 to 64 of A-Z, 0-9, - and _; case does not matter.",
        default=UNSET,
    )
    count: int | None = strawberry.field(
        description="How many random codes instead: 1 to 1,000.", default=UNSET
    )
    prefix: str | None = strawberry.field(
        description='What random codes begin with, such as "SPRING-".', default=UNSET
    )
    uses_max: BigInt | None = strawberry.field(
        description="Uses of each in total; no limit by default.", default=UNSET
    )
    uses_per_member_max: BigInt | None = strawberry.field(
        description="Uses of each by one member; no limit by default.", default=UNSET
    )
    member: ExternalId | None = strawberry.field(
        description="Whose they are; anybody's by default. For others they do not exist.",
        default=UNSET,
    )
    starts_at: datetime | None = strawberry.field(
        description="From when; at once by default.", default=UNSET
    )
    ends_at: datetime | None = strawberry.field(
        description="Before when; for ever by default.", default=UNSET
    )


@strawberry.input(description="A coupon that is to be used no more.")
class CouponRevokeInput:
    code: str = strawberry.field(description="Its code.")


@strawberry.input(description="How often a stocked reward may be taken in all.")
class RewardStockSetInput:
    reward: str = strawberry.field(description="Code of a reward with `stocked = true`.")
    total: BigInt = strawberry.field(
        description="How often in all, what was taken already included."
    )


@strawberry.type(description="Coupons that were issued, or why not.")
class CouponIssuePayload:
    codes: list[str] = strawberry.field(description="Their codes; empty when it was refused.")
    replayed: bool = strawberry.field(description="The key had an outcome before: this is it.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was issued.")


@strawberry.type(description="A coupon that was revoked, or why not.")
class CouponPayload:
    coupon: Coupon | None = strawberry.field(
        description="The coupon as it is now; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")


@strawberry.type(description="A stock that was set, or why not.")
class RewardStockPayload:
    stock: RewardStock | None = strawberry.field(
        description="The stock as it is now; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")


@strawberry.mutation(description="Issue coupons for a reward.")
async def coupon_issue(
    info: Info,
    input: Annotated[CouponIssueInput, strawberry.argument(description="The new coupons.")],
) -> CouponIssuePayload:
    context = info.context
    terms = CouponTerms(
        reward=input.reward,
        uses_max=input.uses_max if isinstance(input.uses_max, int) else None,
        uses_per_member_max=(
            input.uses_per_member_max if isinstance(input.uses_per_member_max, int) else None
        ),
        member=input.member or None,
        starts_at=input.starts_at or None,
        ends_at=input.ends_at or None,
    )
    codes, count, prefix = input.codes or [], input.count or 0, input.prefix or ""
    body = [
        terms.reward, terms.uses_max, terms.uses_per_member_max, terms.member, terms.starts_at,
        terms.ends_at, codes, count, prefix,
    ]  # fmt: skip
    once = idempotent(context.viewer, "couponIssue", input.idempotency_key, body)
    try:
        issued = await context.services.coupons.issue(
            context.tenant_id, once, terms, context.viewer.client,
            codes=codes, count=count, prefix=prefix,
        )  # fmt: skip
    except LoyaltyError as refusal:
        replayed, errors = is_replay(refusal), user_errors(refusal)
        return CouponIssuePayload(codes=[], replayed=replayed, user_errors=errors)
    return CouponIssuePayload(codes=list(issued.codes), replayed=issued.replayed, user_errors=[])


@strawberry.mutation(
    description="Let a coupon be used no more. Orders that used it stay as they are; a checkout "
    "that holds it is refused its commit."
)
async def coupon_revoke(
    info: Info,
    input: Annotated[CouponRevokeInput, strawberry.argument(description="Which coupon.")],
) -> CouponPayload:
    context = info.context
    try:
        found = await context.services.coupons.revoke(
            context.tenant_id, None, input.code, context.viewer.client
        )
    except LoyaltyError as refusal:
        return CouponPayload(coupon=None, user_errors=user_errors(refusal))
    return CouponPayload(coupon=Coupon.of(found), user_errors=[])


@strawberry.mutation(
    description="Say how often a stocked reward may be taken in all. Fewer than are used or held "
    "takes nothing back; nobody takes it any more."
)
async def reward_stock_set(
    info: Info,
    input: Annotated[RewardStockSetInput, strawberry.argument(description="Reward and total.")],
) -> RewardStockPayload:
    context = info.context
    try:
        stock = await context.services.coupons.set_stock(
            context.tenant_id, None, input.reward, input.total, context.viewer.client
        )
    except LoyaltyError as refusal:
        return RewardStockPayload(stock=None, user_errors=user_errors(refusal))
    return RewardStockPayload(stock=RewardStock.of(stock), user_errors=[])
