"""Why a candidate was not applied, in a code."""

from enum import Enum

import strawberry
from strawberry import enum_value as value


@strawberry.enum(description="Why a reward was not applied, or not in full.")
class ReasonCode(Enum):
    NOT_A_MEMBER = value("NOT_A_MEMBER", description="The cart is a guest's.")
    MEMBER_NOT_ACTIVE = value("MEMBER_NOT_ACTIVE", description="The member is not active.")
    TIER_TOO_LOW = value("TIER_TOO_LOW", description="It is for a higher tier.")
    MINIMUM_NOT_MET = value("MINIMUM_NOT_MET", description="The cart is worth too little.")
    CONDITION_NOT_MET = value("CONDITION_NOT_MET", description="Another condition is not met.")
    NO_MATCHING_LINES = value("NO_MATCHING_LINES", description="It covers no line of the cart.")
    INSUFFICIENT_POINTS = value("INSUFFICIENT_POINTS", description="It costs more points.")
    MARGIN_LIMIT = value("MARGIN_LIMIT", description="A limit of the shop cut it or kept it out.")
    NOTHING_LEFT_TO_DISCOUNT = value(
        "NOTHING_LEFT_TO_DISCOUNT", description="Other rewards left nothing to take it off."
    )
    TOO_FEW_POINTS = value(
        "TOO_FEW_POINTS", description="Fewer points than may be paid with at a time."
    )
    TENDER_LIMIT = value("TENDER_LIMIT", description="Points may pay a smaller part of an order.")
    NOT_ASKED_FOR = value("NOT_ASKED_FOR", description="Paying with points was not asked for.")
    NO_SUCH_REWARD = value("NO_SUCH_REWARD", description="The program has none of this code.")
    EXCLUDED_BY_SHOPPER = value("EXCLUDED_BY_SHOPPER", description="The request excludes it.")
    NOT_PINNED = value("NOT_PINNED", description="Only what is pinned was asked for.")
    EXCLUSIVE_WITH_ANOTHER = value(
        "EXCLUSIVE_WITH_ANOTHER", description="It does not go with a reward that was applied."
    )
    ANOTHER_CHOICE_IS_BETTER = value(
        "ANOTHER_CHOICE_IS_BETTER", description="What was applied serves the objective better."
    )
    NO_SUCH_CODE = value("NO_SUCH_CODE", description="No coupon or gift card has this code.")
    COUPON_NOT_STARTED = value("COUPON_NOT_STARTED", description="The coupon is not valid yet.")
    COUPON_EXPIRED = value("COUPON_EXPIRED", description="The coupon's time is over.")
    COUPON_REVOKED = value("COUPON_REVOKED", description="The shop has taken the coupon back.")
    COUPON_USED_UP = value("COUPON_USED_UP", description="All uses of the coupon are taken.")
    COUPON_USED_BY_MEMBER = value(
        "COUPON_USED_BY_MEMBER", description="The member has used the coupon as often as allowed."
    )
    NEEDS_COUPON = value("NEEDS_COUPON", description="It is for those with a coupon's code.")
    OUT_OF_STOCK = value("OUT_OF_STOCK", description="Nothing is left of it.")
    USED_UP_BY_MEMBER = value(
        "USED_UP_BY_MEMBER", description="The member has taken it as often as allowed."
    )
    DISCOUNT_CAP = value(
        "DISCOUNT_CAP", description="The program's limit on discounts cut it or kept it out."
    )
    GIFT_CARD_EMPTY = value("GIFT_CARD_EMPTY", description="Nothing is left on the gift card.")
    GIFT_CARD_BLOCKED = value("GIFT_CARD_BLOCKED", description="The gift card is blocked.")
    GIFT_CARD_EXPIRED = value("GIFT_CARD_EXPIRED", description="The gift card's time is over.")
    INSUFFICIENT_CREDIT = value(
        "INSUFFICIENT_CREDIT", description="More credit was asked for than is available."
    )
    NOTHING_LEFT_TO_PAY = value(
        "NOTHING_LEFT_TO_PAY", description="Other ways of paying pay for everything."
    )
    OFFER_NOT_ACTIVE = value(
        "OFFER_NOT_ACTIVE", description="The member has not made the offer active yet."
    )
    OFFER_EXPIRED = value("OFFER_EXPIRED", description="The offer's time is over.")
    OFFER_USED = value(
        "OFFER_USED", description="The member has used the offer as often as it can be."
    )
    OFFER_WITHDRAWN = value("OFFER_WITHDRAWN", description="The shop has taken the offer back.")
    BUDGET_SPENT = value(
        "BUDGET_SPENT", description="What all members may use of the offer together is used up."
    )
