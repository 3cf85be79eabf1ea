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


class Objective(StrEnum):
    """What the choice is to achieve; each falls back on the next of its list.

    MOST_SAVED: least money to pay, fewest points, codes in order. FEWEST_POINTS: fewest
    points for rewards, least money, codes in order. PINNED: nothing but what is pinned.
    """

    MOST_SAVED = "MOST_SAVED"
    FEWEST_POINTS = "FEWEST_POINTS"
    PINNED = "PINNED"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the shopper decided.

    ``pinned`` are codes of rewards (or ``TENDER``) that are wanted before anything else, the
    first the most; ``excluded`` are not wanted at all. An exact number of points comes right
    after what is pinned. ``TENDER`` is not excluded but asked for with no points.
    """

    points: PointsWanted = NO_POINTS
    pinned: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    objective: Objective = Objective.MOST_SAVED


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What a quote needs to know of a member.

    ``state`` is only named in answers. ``available`` has points by point type; less than
    nothing where a deficit is open.
    """

    external_id: str
    is_active: bool
    state: str
    tier: str | None
    available: Mapping[str, int] = field(default_factory=dict)


class Outcome(StrEnum):
    """What became of a candidate."""

    APPLIED = "APPLIED"
    REJECTED = "REJECTED"
    DOMINATED = "DOMINATED"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reward, or paying with points, and what became of it.

    ``points`` of ``point_type`` are its price. ``discount_minor`` is what it takes off, or
    would take off by itself; for the tender, what the points pay. ``cut_minor`` is what the
    margin guard kept back of it; ``reason`` then is MARGIN_LIMIT although it is applied.
    ``nearest`` is the change after which it applies when pinned first; None where no change
    is known that does it, and for a reward that the margin keeps out, because a change would
    tell the cost. The gap of MARGIN_LIMIT and ``cut_minor`` tell it too: they are for
    services and merchants only.
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


@dataclass(frozen=True, slots=True)
class Part:
    """What one reward takes off one line, in minor units."""

    code: str
    minor: int


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A line of the cart with what is taken off it.

    The parts add up to ``discount_minor``; ``net_minor`` = gross - discount >= 0;
    ``tender_minor`` <= net is the share of it that points pay.
    """

    id: str
    product: str
    quantity: int
    gross_minor: int
    discount_minor: int
    net_minor: int
    tender_minor: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class TenderUsed:
    """Points that pay, and the money they stand for."""

    point_type: str
    points: int
    value_minor: int


@dataclass(frozen=True, slots=True)
class MarginReport:
    """The margin check, over the lines of known cost, in basis points.

    ``limited``: the guard cut or kept out something. ``actual_bp`` is rounded down, None when
    nothing of known cost is charged. The figures are for services and merchants only.
    """

    limited: bool
    floor_bp: int
    actual_bp: int | None
    unknown_cost: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """What a cart would get, and why. Amounts in minor units of the cart's currency.

    subtotal - discount + shipping = total; total - what points pay = payable. ``proven``:
    no other choice is better; otherwise the search ended at its bound of steps.
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

    @property
    def applied(self) -> tuple[Candidate, ...]:
        """The rewards taken, in the order in which they apply; without the tender."""
        return tuple(
            candidate
            for candidate in self.candidates
            if candidate.outcome is Outcome.APPLIED and candidate.code != TENDER
        )

    @property
    def points_needed(self) -> dict[str, int]:
        """Points to hold by point type, for the rewards taken and the tender together."""
        needed: dict[str, int] = {}
        for candidate in self.candidates:
            if candidate.outcome is Outcome.APPLIED and candidate.point_type and candidate.points:
                kind = candidate.point_type
                needed[kind] = needed.get(kind, 0) + candidate.points
        return needed
