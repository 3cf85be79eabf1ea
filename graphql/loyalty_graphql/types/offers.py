"""A member's personal offers, as the member sees them."""

from datetime import date, datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money
from loyalty.domain.conditions import MinimumPurchase
from loyalty.domain.offers import offer_states
from loyalty.domain.offers.offers import offer_name
from loyalty.domain.points import Points
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.services.offers.offers import MemberOffer
from loyalty.wording.reasons import Words
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import DecimalText
from loyalty_graphql.types.exact_text import percent
from loyalty_graphql.types.node import Node


@strawberry.enum(description="Where an offer stands, by the clock.")
class OfferState(Enum):
    OFFERED = value("OFFERED", description="It can be made active.")
    ACTIVE = value("ACTIVE", description="It applies to the next cart that it covers.")
    HELD = value("HELD", description="A checkout in progress holds it.")
    USED = value("USED", description="It was used as often as it can be.")
    RESTORED = value("RESTORED", description="A refund gave it back: it applies again.")
    EXPIRED = value("EXPIRED", description="Its time is over.")
    WITHDRAWN = value("WITHDRAWN", description="The shop has taken it back.")


@strawberry.enum(description="Why a member got an offer.")
class OfferReasonCode(Enum):
    BOUGHT_OFTEN = value("BOUGHT_OFTEN", description="The member buys it often.")
    BOUGHT_BEFORE = value("BOUGHT_BEFORE", description="The member has bought it before.")
    NOT_LATELY = value(
        "NOT_LATELY", description="The member has bought it before and not for a while."
    )
    NEW_FOR_YOU = value("NEW_FOR_YOU", description="The member has not bought it yet.")


@strawberry.type(description="Why a member got an offer.")
class OfferReason:
    code: OfferReasonCode = strawberry.field(description="The reason in a code.")
    message: str = strawberry.field(
        description="The reason in a sentence, in the member's language."
    )
    times: int = strawberry.field(description="Days on which the member had bought it until then.")
    last_on: date | None = strawberry.field(description="The last of them; null for none.")


@strawberry.type(description="What an offer is for.")
class OfferTarget:
    code: str = strawberry.field(description="Its short name, which never changes.")
    name: str = strawberry.field(description="What members read.")
    products: list[str] = strawberry.field(description="Products, by the shop's ids; or")
    categories: list[str] = strawberry.field(description="categories; or")
    departments: list[str] = strawberry.field(description="departments; or")
    brands: list[str] = strawberry.field(description="brands: one of the four.")


@strawberry.type(description="What an offer gives.")
class OfferGift:
    kind: str = strawberry.field(
        description="What it does, such as `money_off` or `percentage_off`; programs may add kinds."
    )
    value: Money | None = strawberry.field(
        description="What it takes off at most; null where that depends on the cart."
    )
    percent: DecimalText | None = strawberry.field(
        description='The percentage it takes off: "5"; null for other kinds.'
    )
    points: Points | None = strawberry.field(
        description="Its price in points; null where it costs none."
    )
    bonus_points: Points | None = strawberry.field(
        description="Points that the purchase earns in addition; null for none."
    )
    minimum_purchase: Money | None = strawberry.field(
        description="What the cart must come to; null for anything."
    )


@strawberry.type(description="A reward for one member, for a time, with the reason for it.")
class Offer(Node):
    code: str = strawberry.field(
        description="What it is called among a quote's candidates, where pins and exclusions name "
        "it."
    )
    name: str = strawberry.field(description="What members read.")
    state: OfferState = strawberry.field(description="Where it stands now.")
    reason: OfferReason | None = strawberry.field(
        description="Why the member got it; null once the consent to profiling, from which it "
        "came, was taken back."
    )
    target: OfferTarget | None = strawberry.field(
        description="What it is for; null once the program has no such offer any more."
    )
    gives: OfferGift | None = strawberry.field(
        description="What it gives; null once the program has no such offer any more."
    )
    starts_at: datetime = strawberry.field(description="From when it stands.")
    ends_at: datetime = strawberry.field(description="Before when it can be used.")
    activated_at: datetime | None = strawberry.field(
        description="When the member made it active; null when it has not."
    )
    uses_max: int = strawberry.field(description="How often it can be used.")
    uses_left: int = strawberry.field(
        description="How often it still can be; uses that are held are not left."
    )

    @classmethod
    def of(cls, offer: MemberOffer, rules: Ruleset, words: Words) -> "Offer":
        code = offer_name(offer.offer, offer.target)
        reward = offer.reward
        target = _target(offer)
        return cls(
            id=strawberry.ID(encode_id("Offer", offer.id)),
            code=code,
            name=code if reward is None else reward.name,
            state=OfferState[offer.state.name],
            reason=_reason(offer.reason, words, code if target is None else target.name),
            target=target,
            gives=_gives(offer, rules),
            starts_at=offer.starts_at,
            ends_at=offer.ends_at,
            activated_at=offer.activated_at,
            uses_max=offer.counts.most,
            uses_left=offer.counts.left,
        )


def _reason(
    reason: offer_states.OfferReason | None, words: Words, target: str
) -> OfferReason | None:
    if reason is None:
        return None
    return OfferReason(
        code=OfferReasonCode[reason.code.name],
        message=words.offered(reason.code, target),
        times=reason.times,
        last_on=reason.last_on,
    )


def _target(offer: MemberOffer) -> OfferTarget | None:
    found = None if offer.pool is None else offer.pool.target(offer.target)
    if found is None:
        return None
    return OfferTarget(
        code=found.code,
        name=found.name,
        products=list(found.products),
        categories=list(found.categories),
        departments=list(found.departments),
        brands=list(found.brands),
    )


def _gives(offer: MemberOffer, rules: Ruleset) -> OfferGift | None:
    reward, pool = offer.reward, offer.pool
    if reward is None or pool is None:
        return None

    def amount(minor: int | None) -> Money | None:
        return None if minor is None else Money.of(money.Money(minor, rules.currency))

    wanted = [item.minor for item in reward.conditions if isinstance(item, MinimumPurchase)]
    bp = reward.does.percent_bp
    return OfferGift(
        kind=reward.does.kind,
        value=amount(reward.does.value_minor),
        percent=None if bp is None else percent(bp),
        points=Points(reward.points) if reward.points else None,
        bonus_points=Points(pool.bonus_points) if pool.bonus_points else None,
        minimum_purchase=amount(max(wanted, default=None)),
    )
