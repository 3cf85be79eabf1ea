"""Coupons, and the stock of rewards."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.services.coupons import coupons
from loyalty_graphql.scalars import BigInt, ExternalId


@strawberry.enum(description="Where a coupon stands. Whether it is used up its counts say.")
class CouponState(Enum):
    ISSUED = value("ISSUED", description="It may be used, between its dates and up to its limits.")
    REVOKED = value("REVOKED", description="It is used no more; what was used stays.")


@strawberry.type(description="A code that brings a reward.")
class Coupon:
    code: str = strawberry.field(description="The code, in upper case.")
    reward: str = strawberry.field(description="Code of the reward it brings.")
    state: CouponState = strawberry.field(description="Where it stands.")
    member_external_id: ExternalId | None = strawberry.field(
        description="Whose it is; null: anybody's."
    )
    starts_at: datetime | None = strawberry.field(description="From when; null: at once.")
    ends_at: datetime | None = strawberry.field(description="Before when; null: for ever.")
    uses_max: BigInt | None = strawberry.field(description="Uses in total; null: no limit.")
    uses_per_member_max: BigInt | None = strawberry.field(
        description="Uses by one member; null: no limit."
    )
    used: BigInt = strawberry.field(description="Uses by orders.")
    held: BigInt = strawberry.field(description="Uses that open checkouts hold, by the clock.")
    created_at: datetime = strawberry.field(description="When it was issued.")
    created_by: str = strawberry.field(description="Who issued it.")

    @classmethod
    def of(cls, coupon: coupons.Coupon) -> "Coupon":
        return cls(
            code=coupon.code,
            reward=coupon.reward,
            state=CouponState[coupon.state],
            member_external_id=None if coupon.member is None else ExternalId(coupon.member),
            starts_at=coupon.starts_at,
            ends_at=coupon.ends_at,
            uses_max=None if coupon.uses_max is None else BigInt(coupon.uses_max),
            uses_per_member_max=(
                None if coupon.uses_per_member_max is None else BigInt(coupon.uses_per_member_max)
            ),
            used=BigInt(coupon.used),
            held=BigInt(coupon.held),
            created_at=coupon.created_at,
            created_by=coupon.created_by,
        )


@strawberry.type(description="How often a reward may be taken, and was.")
class RewardStock:
    reward: str = strawberry.field(description="Code of the reward.")
    total: BigInt | None = strawberry.field(
        description="How often in all, as the merchant set it; null where only uses are counted."
    )
    used: BigInt = strawberry.field(description="How often orders took it.")
    held: BigInt = strawberry.field(description="How often open checkouts hold it, by the clock.")
    left: BigInt | None = strawberry.field(description="How often it is there now.")

    @classmethod
    def of(cls, stock: coupons.Stock) -> "RewardStock":
        left = None if stock.total is None else max(stock.total - stock.used - stock.held, 0)
        return cls(
            reward=stock.reward,
            total=None if stock.total is None else BigInt(stock.total),
            used=BigInt(stock.used),
            held=BigInt(stock.held),
            left=None if left is None else BigInt(left),
        )
