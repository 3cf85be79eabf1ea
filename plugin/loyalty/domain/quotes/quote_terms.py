"""What goes into a quote and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from loyalty.domain.cart import Cart
from loyalty.domain.earning import Earning
from loyalty.domain.reasons import Gap, NearestChange, Reason

TENDER = "POINTS"
"""Code of the candidate "pay with points". No reward has it: their codes are lower case."""

CREDIT = "CREDIT"
"""Code of the candidate "pay with credit"."""

GIFT_CARD = "GIFT_CARD"
"""Code of a candidate "pay with this gift card", with a colon and its place, from 1 on."""


class PointsMode(StrEnum):
    """How many points the shopper wants to pay with."""

    NONE = "NONE"
    ALL = "ALL"
    EXACT = "EXACT"


@dataclass(frozen=True, slots=True)
class PointsWanted:
    """Points to pay with. ``points`` counts for EXACT alone and is >= 1 there."""

    mode: PointsMode = PointsMode.NONE
    points: int = 0


NO_POINTS = PointsWanted()
ALL_POINTS = PointsWanted(PointsMode.ALL)


def exactly(points: int) -> PointsWanted:
    return PointsWanted(PointsMode.EXACT, points)


class CreditMode(StrEnum):
    """How much credit the shopper wants to pay with."""

    NONE = "NONE"
    ALL = "ALL"
    EXACT = "EXACT"


@dataclass(frozen=True, slots=True)
class CreditWanted:
    """Credit to pay with. ``minor`` units count for EXACT alone and are >= 1 there."""

    mode: CreditMode = CreditMode.NONE
    minor: int = 0


NO_CREDIT = CreditWanted()
ALL_CREDIT = CreditWanted(CreditMode.ALL)


def exact_credit(minor: int) -> CreditWanted:
    return CreditWanted(CreditMode.EXACT, minor)


class Objective(StrEnum):
    """What the choice is to achieve; each falls back on the next of its list.

    MOST_SAVED: least money to pay, fewest points, codes in order. FEWEST_POINTS: fewest
    points for rewards, least money, codes in order. EXPIRING_FIRST: most points out of what
    expires soon, most coupons and offers that end soon, least money, fewest points, codes in order.
    PINNED: nothing but what is pinned.
    """

    MOST_SAVED = "MOST_SAVED"
    FEWEST_POINTS = "FEWEST_POINTS"
    EXPIRING_FIRST = "EXPIRING_FIRST"
    PINNED = "PINNED"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the shopper decided.

    ``pinned`` are codes of rewards or coupons (or ``TENDER`` or ``CREDIT``) that are wanted
    before anything else, the first the most; ``excluded`` are not wanted at all. An exact
    number of points comes right after what is pinned, and an exact amount of credit after
    that. ``TENDER`` is not excluded but asked for with no points, ``CREDIT`` with no credit.
    ``codes``: normalised coupon codes in the sequence in which they were handed in.
    """

    points: PointsWanted = NO_POINTS
    pinned: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    objective: Objective = Objective.MOST_SAVED
    codes: tuple[str, ...] = ()
    credit: CreditWanted = NO_CREDIT


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What a quote needs to know of a member.

    ``state`` is only named in answers. ``available`` has points by point type; less than
    nothing where a deficit is open. ``expiring``: how many of them expire within the
    ruleset's ``expiring_soon_days``, by point type.
    """

    external_id: str
    is_active: bool
    state: str
    tier: str | None
    available: Mapping[str, int] = field(default_factory=dict)
    expiring: Mapping[str, int] = field(default_factory=dict)


class Outcome(StrEnum):
    """What became of a candidate."""

    APPLIED = "APPLIED"
    REJECTED = "REJECTED"
    DOMINATED = "DOMINATED"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reward, a tier's benefit, a code, or a way of paying, and what became of it.

    ``points`` of ``point_type`` are its price. ``discount_minor`` is what it takes off, or
    would take off by itself; for a way of paying, what it pays. ``capped_minor`` is what the
    ruleset's caps kept back of it, ``cut_minor`` what the margin guard kept back of the rest;
    ``reason`` then is DISCOUNT_CAP or MARGIN_LIMIT although it is applied. ``nearest`` is the
    change after which it applies when pinned first; None where no change is known that does
    it, and for a reward that the margin keeps out, because a change would tell the cost.

    ``coupon_code`` and ``coupon_id``: the coupon it came with; of a code that nobody knows,
    the code alone. ``tier``: whose benefit it is; None for what is no benefit.
    ``offer_id``: the member's offer that it is, None for what is none.
    ``is_cost_shaped``: the cost had a say in some figure of it. Those figures, the gap of
    MARGIN_LIMIT and ``cut_minor`` are for services and merchants only.
    """

    code: str
    name: str
    kind: str
    outcome: Outcome
    reason: Reason | None
    gap: Gap | None
    nearest: NearestChange | None
    point_type: str | None
    points: int
    discount_minor: int
    cut_minor: int = 0
    capped_minor: int = 0
    coupon_code: str | None = None
    coupon_id: int | None = None
    tier: str | None = None
    is_cost_shaped: bool = False
    offer_id: int | None = None

    @property
    def wish(self) -> str:
        """The name under which it is pinned or excluded."""
        return self.coupon_code or self.code


@dataclass(frozen=True, slots=True)
class Part:
    """What one reward takes off one line, in minor units."""

    code: str
    minor: int


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A line of the cart, or its shipping, with what is taken off it.

    The parts add up to ``discount_minor``; ``net_minor`` = gross - discount >= 0.
    ``tax_minor`` is the tax in it, or on it where the cart's tax is added. Points
    (``tender_minor``), gift cards and credit each pay a share of what is charged for it:
    net, and tax where that is added. Together they never pay more.
    """

    id: str
    product: str
    quantity: int
    gross_minor: int
    discount_minor: int
    net_minor: int
    tender_minor: int
    parts: tuple[Part, ...]
    tax_minor: int = 0
    credit_minor: int = 0
    gift_minor: int = 0


@dataclass(frozen=True, slots=True)
class TenderUsed:
    """Points that pay, and the money they stand for."""

    point_type: str
    points: int
    value_minor: int


@dataclass(frozen=True, slots=True)
class CreditUsed:
    """Credit that pays."""

    minor: int


@dataclass(frozen=True, slots=True)
class GiftUsed:
    """A gift card that pays. ``label`` is what may be shown of it."""

    holder_id: int
    label: str
    minor: int


class QuotaKind(StrEnum):
    """What is counted for several members together."""

    COUPON = "COUPON"
    STOCK = "STOCK"
    BUDGET = "BUDGET"


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """A use of something counted, to be held with a reservation.

    ``subject``: the coupon's code, the code of the reward whose stock it is, or what of the
    offers it is (``offers.own_use``, ``money_budget``, ``points_budget``). ``coupon_id``: the id
    of the coupon, or of the member's offer.
    """

    kind: QuotaKind
    subject: str
    coupon_id: int | None
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class MarginReport:
    """The margin check, over the lines of known cost and without tax, in basis points.

    ``limited``: the guard cut or kept out something. ``actual_bp`` is rounded down, None when
    nothing of known cost is charged. ``line_floor_bp`` is None without a floor per line. The
    figures are for services and merchants only.
    """

    limited: bool
    floor_bp: int
    actual_bp: int | None
    unknown_cost: bool
    line_floor_bp: int | None = None


NO_SHIPPING = QuoteLine("", "", 1, 0, 0, 0, 0, ())


@dataclass(frozen=True, slots=True)
class Quote:
    """What a cart would get, and why. Amounts in minor units of the cart's currency.

    subtotal - discount + shipping = total, and tax with it where the cart's tax is added;
    total - what points, gift cards and credit pay = payable. ``shipping_minor`` is as the
    cart has it, and ``shipping_line`` (its id is empty) says what was taken off it;
    ``discount_minor`` counts both. ``uses`` are coupon uses and stock to hold.

    ``proven``: no other choice is better; otherwise the search ended at its bound of steps,
    and no choice saves more than ``gap_minor`` more than this one.
    """

    cart: Cart
    member: str | None
    tier: str | None
    ruleset_code: str
    ruleset_version: int
    choice: Choice
    at: datetime
    valid_until: datetime
    lines: tuple[QuoteLine, ...]
    candidates: tuple[Candidate, ...]
    tender: TenderUsed | None
    earnings: tuple[Earning, ...]
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    total_minor: int
    payable_minor: int
    margin: MarginReport | None
    proven: bool
    hash: str = ""
    shipping_line: QuoteLine = NO_SHIPPING
    uses: tuple[QuotaUse, ...] = ()
    credit: CreditUsed | None = None
    gift_cards: tuple[GiftUsed, ...] = ()
    tax_minor: int = 0
    gap_minor: int = 0

    @property
    def applied(self) -> tuple[Candidate, ...]:
        """The rewards and benefits taken, in the order in which they apply; no tender."""
        return tuple(
            candidate
            for candidate in self.candidates
            if candidate.outcome is Outcome.APPLIED and not is_tender(candidate.code)
        )

    def charged_minor(self, line: QuoteLine) -> int:
        """What is charged for one of its lines or its shipping, before any tender."""
        return line.net_minor + (0 if self.cart.tax_included else line.tax_minor)

    @property
    def points_needed(self) -> dict[str, int]:
        """Points to hold by point type, for the rewards taken and the tender together."""
        needed: dict[str, int] = {}
        for candidate in self.candidates:
            if candidate.outcome is Outcome.APPLIED and candidate.point_type and candidate.points:
                kind = candidate.point_type
                needed[kind] = needed.get(kind, 0) + candidate.points
        return needed


def is_tender(code: str) -> bool:
    """Whether a candidate's code is that of a way of paying."""
    return code in (TENDER, CREDIT) or code.startswith(GIFT_CARD + ":")
