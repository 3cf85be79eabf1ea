"""Why a candidate was not applied, in a code and in a sentence."""

from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain.money import Money
from loyalty.domain.quote_terms import Candidate, Outcome
from loyalty.domain.reasons import Gap, Reason
from loyalty.domain.ruleset import Ruleset


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


def sentence(candidate: Candidate, rules: Ruleset) -> str | None:
    """A candidate's reason in English, with the figures of its gap; None without a reason.

    A sentence about the margin names no figure: it is read by shoppers too.
    """
    reason, gap = candidate.reason, candidate.gap or Gap()
    if reason is None:
        return None
    if reason is Reason.MARGIN_LIMIT:
        applied = candidate.outcome is Outcome.APPLIED
        return f"A limit of the shop {'made it smaller' if applied else 'keeps it out'}."
    if reason is Reason.TIER_TOO_LOW and gap.tier is not None:
        return f"It is for members from the tier {_tier_name(gap.tier, rules)} on."
    if gap.money_minor is not None:
        money = Money(gap.money_minor, rules.currency)
        is_over = reason in (Reason.TENDER_LIMIT, Reason.DISCOUNT_CAP)
        what = "too much" if is_over else "more is needed"
        return f"{_PLAIN[reason][:-1]}: {money.text()} {money.currency} {what}."
    if gap.points is not None:
        return f"{_PLAIN[reason][:-1]}: {gap.points} more needed."
    return _PLAIN[reason]


_PLAIN = {
    Reason.NOT_A_MEMBER: "Only members get it.",
    Reason.MEMBER_NOT_ACTIVE: "The membership is not active.",
    Reason.TIER_TOO_LOW: "It is for a higher tier.",
    Reason.MINIMUM_NOT_MET: "The cart is worth too little.",
    Reason.CONDITION_NOT_MET: "A condition of it is not met.",
    Reason.NO_MATCHING_LINES: "It covers nothing in this cart.",
    Reason.INSUFFICIENT_POINTS: "There are too few points.",
    Reason.NOTHING_LEFT_TO_DISCOUNT: "The other rewards left nothing to take it off.",
    Reason.TOO_FEW_POINTS: "So few points cannot be paid with.",
    Reason.TENDER_LIMIT: "Points may pay only a part of an order.",
    Reason.NOT_ASKED_FOR: "It was not asked for.",
    Reason.NO_SUCH_REWARD: "The program has no such reward.",
    Reason.EXCLUDED_BY_SHOPPER: "It was excluded.",
    Reason.NOT_PINNED: "Only other rewards were asked for.",
    Reason.EXCLUSIVE_WITH_ANOTHER: "It does not go with a reward that is applied.",
    Reason.ANOTHER_CHOICE_IS_BETTER: "Another choice is better.",
    Reason.NO_SUCH_CODE: "There is no such code.",
    Reason.COUPON_NOT_STARTED: "The coupon is not valid yet.",
    Reason.COUPON_EXPIRED: "The coupon has expired.",
    Reason.COUPON_REVOKED: "The coupon is no longer valid.",
    Reason.COUPON_USED_UP: "The coupon is used up.",
    Reason.COUPON_USED_BY_MEMBER: "The coupon was used already.",
    Reason.NEEDS_COUPON: "It needs a coupon.",
    Reason.OUT_OF_STOCK: "It is out of stock.",
    Reason.USED_UP_BY_MEMBER: "It was taken as often as it may be.",
    Reason.DISCOUNT_CAP: "Discounts are limited.",
    Reason.GIFT_CARD_EMPTY: "The gift card is empty.",
    Reason.GIFT_CARD_BLOCKED: "The gift card is blocked.",
    Reason.GIFT_CARD_EXPIRED: "The gift card has expired.",
    Reason.INSUFFICIENT_CREDIT: "There is too little credit.",
    Reason.NOTHING_LEFT_TO_PAY: "Nothing is left to pay.",
}


def _tier_name(code: str, rules: Ruleset) -> str:
    return next((tier.name for tier in rules.tier_policy.tiers if tier.code == code), code)
