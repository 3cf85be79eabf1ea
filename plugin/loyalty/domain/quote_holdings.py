"""What a shopper holds beside points: coupons, gift cards, credit, and what is left to share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CouponFacts:
    """A coupon whose code was handed in. One of another member is no coupon: it is unknown.

    ``code`` is normalised; ``reward``: code of the reward it opens. It stands from
    ``starts_at`` up to, but not including, ``ends_at``. ``left_total`` and ``left_member``:
    uses left in total and for this member, holds discounted; None for no limit.
    """

    coupon_id: int
    code: str
    reward: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_revoked: bool = False
    left_total: int | None = None
    left_member: int | None = None


@dataclass(frozen=True, slots=True)
class GiftCardFacts:
    """A gift card whose code was handed in.

    ``label`` is what may be shown of it, such as "…1234". ``available_minor`` is in
    ``currency``, held amounts discounted.
    """

    holder_id: int
    label: str
    currency: str
    available_minor: int
    expires_at: datetime | None = None
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class QuotaFacts:
    """What is left of a reward that is counted, holds discounted; None for no limit.

    ``left_member`` reckons with the ruleset's own limit per member. ``missing``: nobody has
    set or counted anything yet, so a stocked reward has no stock, and no member has used it.
    """

    left_total: int | None = None
    left_member: int | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything a quote may use beside points, as it was when the quote was asked for.

    ``unknown_codes``: codes handed in that nothing is known of. ``gift_cards`` pay in their
    sequence. ``quotas`` by reward code; a reward that is not in it counts as missing.
    ``credit_minor``: available credit in the cart's currency.
    """

    coupons: tuple[CouponFacts, ...] = ()
    unknown_codes: tuple[str, ...] = ()
    gift_cards: tuple[GiftCardFacts, ...] = ()
    quotas: Mapping[str, QuotaFacts] = field(default_factory=dict)
    credit_minor: int = 0


NO_HOLDINGS = Holdings()
