"""Why a candidate was not applied, how far it was from it, and what would change that."""

from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Stable codes; each has a heading in ``docs/reference/reasons.md``."""

    NOT_A_MEMBER = "NOT_A_MEMBER"
    MEMBER_NOT_ACTIVE = "MEMBER_NOT_ACTIVE"
    TIER_TOO_LOW = "TIER_TOO_LOW"
    MINIMUM_NOT_MET = "MINIMUM_NOT_MET"
    CONDITION_NOT_MET = "CONDITION_NOT_MET"
    NO_MATCHING_LINES = "NO_MATCHING_LINES"
    INSUFFICIENT_POINTS = "INSUFFICIENT_POINTS"
    MARGIN_LIMIT = "MARGIN_LIMIT"
    NOTHING_LEFT_TO_DISCOUNT = "NOTHING_LEFT_TO_DISCOUNT"
    TOO_FEW_POINTS = "TOO_FEW_POINTS"
    TENDER_LIMIT = "TENDER_LIMIT"
    NOT_ASKED_FOR = "NOT_ASKED_FOR"
    NO_SUCH_REWARD = "NO_SUCH_REWARD"
    EXCLUDED_BY_SHOPPER = "EXCLUDED_BY_SHOPPER"
    NOT_PINNED = "NOT_PINNED"
    EXCLUSIVE_WITH_ANOTHER = "EXCLUSIVE_WITH_ANOTHER"
    ANOTHER_CHOICE_IS_BETTER = "ANOTHER_CHOICE_IS_BETTER"
    NO_SUCH_CODE = "NO_SUCH_CODE"
    COUPON_NOT_STARTED = "COUPON_NOT_STARTED"
    COUPON_EXPIRED = "COUPON_EXPIRED"
    COUPON_REVOKED = "COUPON_REVOKED"
    COUPON_USED_UP = "COUPON_USED_UP"
    COUPON_USED_BY_MEMBER = "COUPON_USED_BY_MEMBER"
    NEEDS_COUPON = "NEEDS_COUPON"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    USED_UP_BY_MEMBER = "USED_UP_BY_MEMBER"
    DISCOUNT_CAP = "DISCOUNT_CAP"
    GIFT_CARD_EMPTY = "GIFT_CARD_EMPTY"
    GIFT_CARD_BLOCKED = "GIFT_CARD_BLOCKED"
    GIFT_CARD_EXPIRED = "GIFT_CARD_EXPIRED"
    INSUFFICIENT_CREDIT = "INSUFFICIENT_CREDIT"
    NOTHING_LEFT_TO_PAY = "NOTHING_LEFT_TO_PAY"
    OFFER_NOT_ACTIVE = "OFFER_NOT_ACTIVE"
    OFFER_EXPIRED = "OFFER_EXPIRED"
    OFFER_USED = "OFFER_USED"
    OFFER_WITHDRAWN = "OFFER_WITHDRAWN"
    BUDGET_SPENT = "BUDGET_SPENT"


@dataclass(frozen=True, slots=True)
class Gap:
    """The measured distance: points, minor units, or the tier wanted."""

    points: int | None = None
    money_minor: int | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class NearestChange:
    """The smallest change of the cart or the choice that removes the rejection.

    ``kind``: ADD_TO_CART (worth ``money_minor`` more), ADD_MATCHING (the same, of a product
    that the reward covers), USE_POINTS (pay with ``points``), USE_CREDIT (pay with
    ``money_minor`` of credit), PIN (ask for this before all else), ALLOW (stop excluding it),
    ADD_CODE (hand in a coupon code for it), ACTIVATE_OFFER (make the offer active).

    ``is_cost_shaped``: the margin would have a say in what the candidate then takes off or pays,
    so whoever may not learn of the cost would not see it applied.
    """

    kind: str
    points: int | None = None
    money_minor: int | None = None
    is_cost_shaped: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Unmet:
    """One thing that stands in the way."""

    reason: Reason
    gap: Gap | None = None
    nearest: NearestChange | None = None
