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
class OfferFacts:
    """An offer of the member's own; ``offer`` and ``target`` are codes of the ruleset's pool.

    It stands until, but not including, ``ends_at``. ``left``: uses left, holds discounted. An
    offer is used only once the member has made it active.
    """

    offer_id: int
    offer: str
    target: str
    ends_at: datetime
    is_active: bool = True
    is_withdrawn: bool = False
    left: int = 1


@dataclass(frozen=True, slots=True)
class BudgetFacts:
    """What is left of an offer's budget, holds discounted; None for no limit."""

    minor: int | None = None
    points: int | None = None


NO_BUDGET = BudgetFacts()


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything a quote may use beside points, as it was when the quote was asked for.

    ``unknown_codes``: codes handed in that nothing is known of. ``gift_cards`` pay in their
    sequence. ``quotas`` by reward code; a reward that is not in it counts as missing.
    ``credit_minor``: available credit in the cart's currency. ``budgets`` by the code of the offer
    in the pool; one that is not in it has no limit.
    """

    coupons: tuple[CouponFacts, ...] = ()
    unknown_codes: tuple[str, ...] = ()
    gift_cards: tuple[GiftCardFacts, ...] = ()
    quotas: Mapping[str, QuotaFacts] = field(default_factory=dict)
    credit_minor: int = 0
    offers: tuple[OfferFacts, ...] = ()
    budgets: Mapping[str, BudgetFacts] = field(default_factory=dict)


NO_HOLDINGS = Holdings()
